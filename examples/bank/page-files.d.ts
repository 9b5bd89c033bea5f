import Router from '@koa/router'
/** The pages, and what they load: both kits of files as they lie beside each other, so that their imports are right as they are. */
export declare function pageFiles(): Router
