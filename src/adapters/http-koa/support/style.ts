/** The style of all pages. It needs no font, image or script. */
export const STYLE = `:root {
  color-scheme: light dark;
  --paper: light-dark(#ffffff, #1b2127); --desk: light-dark(#eef1f4, #12161a); --line: light-dark(#c9d1d9, #424d58);
  --ink: light-dark(#1b2128, #e6eaee); --quiet: light-dark(#515c68, #a9b5c0); --link: light-dark(#0b57d0, #8ab8ff);
  --good: light-dark(#17713b, #6fd396); --bad: light-dark(#b3261e, #ff9e95); --wait: light-dark(#8a5300, #f2bf6b);
  --say: light-dark(#e8f0fe, #22304a);
}
* { box-sizing: border-box }
html { scroll-padding-top: 1rem }
body { margin: 0; background: var(--desk); color: var(--ink); font: 1rem/1.5 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, Helvetica, Arial, sans-serif }
h1, h2, p, dl, dd, ol, ul { margin: 0; padding: 0 }
h1 { font-size: 1.375rem; line-height: 1.25; overflow-wrap: anywhere }
h2 { font-size: 1.0625rem }
a { color: var(--link) }
a:focus-visible, button:focus-visible, input:focus-visible, .button:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
.skip { position: absolute; inset-block-start: -10rem }
.skip:focus { inset-block-start: .5rem; inset-inline-start: .5rem; padding: .5rem 1rem; background: var(--paper); z-index: 1 }
header.top { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; padding: .75rem 1.25rem; background: var(--paper); border-bottom: 1px solid var(--line) }
header.top .home { font-weight: 700; color: inherit; text-decoration: none; margin-inline-end: auto }
header.top form { margin: 0 }
main { max-width: 72rem; margin-inline: auto; padding: 1.25rem; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr) }
section, .card { background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.25rem; display: grid; gap: .75rem; grid-template-columns: minmax(0, 1fr); align-content: start }
.columns { display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr) minmax(0, 24rem); align-items: start }
.finders { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)) }
.quiet { color: var(--quiet) }
.say { background: var(--say) }
.say li { margin-inline-start: 1.25rem; padding-block: .2rem }
.done { border-color: var(--good); border-inline-start: .375rem solid var(--good) }
.problem { border-color: var(--bad); border-inline-start: .375rem solid var(--bad) }
dl { display: grid; grid-template-columns: minmax(7rem, auto) minmax(0, 1fr); gap: .3rem 1rem }
dt { color: var(--quiet) }
dd { overflow-wrap: anywhere }
form { display: grid; gap: .75rem; grid-template-columns: minmax(0, 1fr) }
label { display: grid; gap: .25rem; grid-template-columns: minmax(0, 1fr); font-weight: 600 }
input { width: 100%; min-width: 0; min-height: 2.75rem; padding: .5rem .625rem; font: inherit; color: inherit; background: var(--desk); border: 1px solid var(--quiet); border-radius: .375rem }
button, .button { display: inline-block; justify-self: start; min-height: 2.75rem; padding: .5rem 1rem; font: inherit; font-weight: 600; color: var(--paper); background: var(--link); border: 1px solid transparent; border-radius: .375rem; cursor: pointer; text-decoration: none }
button.calm, .button.calm { color: var(--link); background: none; border-color: currentColor }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center }
.list { list-style: none; display: grid; gap: .5rem }
.list > li { border: 1px solid var(--line); border-radius: .375rem; padding: .625rem .75rem; display: grid; gap: .2rem; overflow-wrap: anywhere }
.steps { list-style: none; display: grid }
.steps li { display: grid; grid-template-columns: 4.75rem minmax(0, 1fr); gap: .25rem .75rem; padding: .5rem 0 .5rem .75rem; border-inline-start: .25rem solid var(--line); overflow-wrap: anywhere }
.steps li + li { border-top: 1px solid var(--line) }
.steps .good { border-inline-start-color: var(--good) }
.steps .bad { border-inline-start-color: var(--bad) }
.steps .wait { border-inline-start-color: var(--wait) }
.status { display: inline-block; padding: 0 .5rem; border: 1px solid currentColor; border-radius: 1rem; font-weight: 600; font-size: .9375rem }
.status.good { color: var(--good) } .status.bad { color: var(--bad) } .status.wait { color: var(--wait) }
time, .number { font-variant-numeric: tabular-nums }
.picture { display: block; width: 21.25rem; max-width: 100%; height: auto; font-size: 11px }
.picture text { fill: var(--ink) }
.picture .lane { text-anchor: middle; fill: var(--quiet) }
.picture .clock { fill: var(--quiet); font-size: 11px }
.picture .over { text-anchor: middle }
.picture .life { stroke: var(--line) }
.picture g { --tone: var(--quiet) }
.picture .good { --tone: var(--good) } .picture .bad { --tone: var(--bad) } .picture .wait { --tone: var(--wait) }
.picture .way { stroke: var(--tone); stroke-width: 1.5 }
.picture .tip, .picture .sign { fill: var(--tone) }
.picture .wait .sign { fill: var(--paper); stroke: var(--tone); stroke-width: 2 }
.picture .label { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round }
.picture .on { fill: none; stroke: var(--paper); stroke-width: 1.75 }
@media (max-width: 56rem) { .columns { grid-template-columns: minmax(0, 1fr) } }
@media (max-width: 30rem) {
  main { padding: .75rem; gap: .75rem }
  section, .card { padding: .875rem 1rem }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0 }
  dd { margin-bottom: .5rem }
}
@media (forced-colors: active) { .picture .on { stroke: Canvas } }
`
