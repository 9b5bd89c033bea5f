import test from 'ava'
import { html } from '../../../src/adapters/http-koa/support/html.ts'

test('a value is text, whatever it looks like', (t) => {
  const hostile = `"><script>alert('x')</script>&amp;`
  t.is(
    String(html`<a title="${hostile}">${hostile}</a>`),
    '<a title="&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;">&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;</a>',
  )
})

test('a piece of a page stays one within another, also in a list', (t) => {
  t.is(
    String(html`<ol>${['a', '<b>'].map((each) => html`<li>${each}</li>`)}</ol>`),
    '<ol><li>a</li><li>&lt;b&gt;</li></ol>',
  )
})

test('what is false or undefined leaves nothing, and zero is a number', (t) => {
  t.is(String(html`${false}${undefined}${0}`), '0')
})
