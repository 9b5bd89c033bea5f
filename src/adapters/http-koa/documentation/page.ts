/** The page that shows the API's document. Its URLs are relative, so that it also works behind a path prefix. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Countersign API</title>
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/show-api.js"></script>
</body>
</html>
`

/**
 * Starts the viewer on our document and no other. Its validator is off, because it would send the document's URL to
 * another host. Tokens that a reader enters are forgotten with the page. Requests go to the server of the page, although the
 * document names another one first.
 */
export const SHOW_API = `const viewer = SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#api',
  validatorUrl: null,
  queryConfigEnabled: false,
  persistAuthorization: false,
  deepLinking: true,
  displayRequestDuration: true,
  showExtensions: true,
  defaultModelsExpandDepth: 0,
  onComplete: () => viewer.oas3Actions.setSelectedServer('/'),
})
`

/** Allows only what this service serves, and `data:` images, which the viewer's style sheet contains. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')
