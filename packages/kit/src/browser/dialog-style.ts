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
  width: min(30rem, calc(100vw - 2rem)); max-height: calc(100dvh - 2rem); padding: 0; overflow: auto;
  color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 14px;
  box-shadow: 0 18px 60px rgb(0 0 0 / .28);
}
dialog::backdrop { background: rgb(10 18 24 / .55) }
.content { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; padding: 1.5rem; overflow-wrap: anywhere }
h2 { margin: 0; font-size: 1.375rem; line-height: 1.25 }
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
@media (max-width: 30rem) {
  dialog { width: 100vw; max-width: none; max-height: 92dvh; margin: auto 0 0; border-radius: 14px 14px 0 0; border-inline: 0; border-block-end: 0 }
  .content { padding: min(1.25rem, 4vw) }
  dl > div { grid-template-columns: 1fr }
}
@media (prefers-reduced-motion: no-preference) {
  dialog[open] { animation: rise .16s ease-out }
  @keyframes rise { from { transform: translateY(12px); opacity: 0 } }
}
`
