/** Colours follow the page: each may be set from outside as a custom property of the element. */
export const DIALOG_STYLE = `
:host {
  color-scheme: light dark;
  --ink: var(--countersign-ink, light-dark(#1b2128, #e6eaee));
  --quiet: var(--countersign-quiet, light-dark(#4d5864, #a9b4bf));
  --paper: var(--countersign-paper, light-dark(#ffffff, #1b2127));
  --shade: var(--countersign-shade, light-dark(#f0f4f7, #242c34));
  --line: var(--countersign-line, light-dark(#d6dce2, #3c4752));
  --edge: var(--countersign-edge, light-dark(#76828e, #8b97a3));
  --accent: var(--countersign-accent, light-dark(#0f4c5c, #7fd0e0));
  --on-accent: var(--countersign-on-accent, light-dark(#ffffff, #0b1418));
  --alarm: var(--countersign-alarm, light-dark(#a3161d, #ff9c95));
  --good: var(--countersign-good, light-dark(#0b6b3a, #7ddba3));
  font: 1rem/1.5 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, Helvetica, Arial, sans-serif;
}
* { box-sizing: border-box }
[hidden] { display: none !important }
dialog {
  inset-block: var(--hidden-above, 0px) var(--hidden-below, 0px); overflow: auto; overscroll-behavior: contain; scroll-padding-block-start: 3.5rem;
  width: min(30rem, calc(100vw - 2rem)); max-height: calc(var(--visible-height, 100dvh) - 2rem); padding: 0;
  color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 14px;
  box-shadow: 0 18px 60px rgb(0 0 0 / .28);
}
dialog::backdrop { background: rgb(10 18 24 / .55) }
.content { --pad: 1.5rem; display: flex; flex-direction: column; gap: 1rem; padding: var(--pad); overflow-wrap: anywhere }
.content > *, .answer > * { min-width: 0 }
.brand { margin: calc(-1 * var(--pad)) calc(-1 * var(--pad)) 0; padding: .625rem var(--pad); font-weight: 600; border-block-end: 1px solid var(--line) }
.brand img { display: block; height: 2rem; max-width: 100%; object-fit: contain; object-position: left }
.brand:dir(rtl) img { object-position: right }
.head { display: flex; gap: 1rem; align-items: start; justify-content: space-between }
[role]:not(:empty) { margin-block-end: 1rem }
h2 { margin: 0; min-width: 0; font-size: 1.375rem; line-height: 1.25 }
p { margin: 0 }
.quiet { color: var(--quiet); font-size: .9375rem }
dl { margin: 0; border-block-start: 1px solid var(--line) }
dl > div { display: grid; grid-template-columns: minmax(min(5rem, 25%), 2fr) minmax(0, 5fr); gap: .25rem 1rem; padding: .625rem 0; border-block-end: 1px solid var(--line) }
dt { color: var(--quiet); overflow-wrap: anywhere }
dd { margin: 0; font-weight: 650; overflow-wrap: anywhere }
form { display: grid; grid-template-columns: minmax(0, 1fr); gap: .625rem; padding: min(1rem, 3vw); background: var(--shade); border-radius: 10px }
label { font-weight: 600 }
input {
  width: 100%; min-height: 3.25rem; padding: .25rem min(.75rem, 2vw); text-align: center;
  font: 600 1.625rem/1 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; letter-spacing: min(.22em, 1.5vw);
  color: inherit; background: var(--paper); border: 1px solid var(--edge); border-radius: 8px;
}
input[aria-invalid="true"] { border: 2px solid var(--alarm) }
button {
  min-height: 2.75rem; padding: .5rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--accent); background: transparent; border: 1px solid var(--edge); border-radius: 8px;
}
button.main { color: var(--on-accent); background: var(--accent); border-color: var(--accent) }
button[disabled] { color: var(--quiet); background: transparent; border-color: var(--line); cursor: default }
input:focus-visible, button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.alarm { color: var(--alarm); font-weight: 600 }
.good { color: var(--good); font-weight: 600 }
.actions { display: flex; flex-wrap: wrap; gap: .625rem }
.actions button { flex: 1 1 min(10rem, 100%) }
button.leave { flex: none; min-width: 2.75rem; margin-block: -.5rem; padding: 0; font-size: 1.5rem; line-height: 1; border-color: transparent }
@media (max-width: 30rem) {
  dialog { width: 100vw; max-width: none; max-height: calc(var(--visible-height, 100dvh) - min(2.5rem, 4dvh)); margin: auto 0 0; border-radius: 14px 14px 0 0; border-inline: 0; border-block-end: 0 }
  .content { --pad: min(1.25rem, 4vw) }
  dl > div { grid-template-columns: 1fr; gap: 0 }
}
/* Where the height allows, what the code confirms stays in view beside the field: the rest scrolls between the two. */
[data-layout="roomy"] .head, [data-layout="entry"] .head, [data-layout="compact"] .head,
[data-layout="roomy"] .answer, [data-layout="entry"] .entry, [data-layout="compact"] .entry {
  position: sticky; z-index: 1; background: var(--paper); margin-inline: calc(-1 * var(--pad)); padding: .75rem var(--pad);
}
[data-layout="roomy"] .head, [data-layout="entry"] .head, [data-layout="compact"] .head { z-index: 2; inset-block-start: 0; margin-block: calc(-1 * var(--pad)) -.75rem }
[data-layout="roomy"] .brand:not([hidden]) + .head, [data-layout="entry"] .brand:not([hidden]) + .head { margin-block-start: -1rem }
[data-layout="compact"] .brand { display: none }
[data-layout="roomy"] .answer, [data-layout="entry"] .entry, [data-layout="compact"] .entry { inset-block-end: 0; border-block-start: 1px solid var(--line) }
[data-layout="entry"] .answer, [data-layout="compact"] .answer { display: contents }
[data-layout="compact"] { --pad: min(1rem, 4vw); gap: .5rem }
[data-layout="compact"] .head { padding-block: .5rem; margin-block-end: -.5rem }
[data-layout="compact"] h2 { font-size: 1.125rem }
[data-layout="compact"] #introduction { order: 1 }
[data-layout="compact"] :is(.answer, .answer > *) { order: 2 }
[data-layout="compact"] .actions { order: 3 }
[data-layout="compact"] dl > div { grid-template-columns: minmax(min(5rem, 25%), 2fr) minmax(0, 5fr); gap: 0 .75rem; padding: .25rem 0 }
[data-layout="compact"] :is(dt, dd) { line-height: 1.3 }
[data-layout="compact"] [role] { margin-block-end: 0 }
[data-layout="compact"] .entry { padding-block: .5rem }
[data-layout="compact"] form { grid-template-columns: minmax(0, 1fr) auto; gap: .25rem .5rem; padding: 0; background: none }
[data-layout="compact"] :is(label, #validity) { grid-column: 1 / -1; line-height: 1.3 }
[data-layout="compact"] input { min-height: 2.75rem; font-size: 1.375rem }
[data-layout="compact"] #validity { order: 1 }
@media (forced-colors: active) {
  dialog, input, button { border-color: CanvasText }
  button.main { forced-color-adjust: none; color: HighlightText; background: Highlight; border-color: Highlight }
  button.leave { border-color: ButtonText }
  button[disabled] { forced-color-adjust: none; color: GrayText; background: ButtonFace; border-color: GrayText }
  input[aria-invalid="true"] { border-width: 4px }
  input:focus-visible, button:focus-visible { outline-color: Highlight }
}
@media (prefers-reduced-motion: no-preference) {
  dialog[open] { animation: rise .16s ease-out }
  @keyframes rise { from { transform: translateY(12px); opacity: 0 } }
}
`
