import test from 'ava'
import fc from 'fast-check'
import { readableOn } from '../../src/domain/brand.ts'

for (const [color, text] of [
  ['#000000', '#fff'],
  ['#0f4c5c', '#fff'],
  ['#0000ff', '#fff'],
  ['#757575', '#fff'],
  ['#767676', '#000'],
  ['#ff0000', '#000'],
  ['#00ff00', '#000'],
  ['#F2B705', '#000'],
  ['#ffffff', '#000'],
  // A dark channel is counted by the straight part of the curve of sRGB.
  ['#006dfb', '#fff'],
  ['#008900', '#fff'],
] as const) {
  test(`${text} is easier to read on ${color}`, (t) => {
    t.is(readableOn(color), text)
  })
}

test('on every colour, what is written has the better contrast of black and white, and 4.5 to 1 or more (WCAG 2.2 §1.4.3)', (t) => {
  const linear = (value: number) =>
    value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4
  const byte = fc.integer({ min: 0, max: 255 })
  fc.assert(
    fc.property(byte, byte, byte, (red, green, blue) => {
      const luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
      const contrast = { '#000': (luminance + 0.05) / 0.05, '#fff': 1.05 / (luminance + 0.05) }

      const chosen = contrast[readableOn(`#${Buffer.from([red, green, blue]).toString('hex')}`)]

      t.is(chosen, Math.max(...Object.values(contrast)))
      t.true(chosen >= 4.5)
    }),
    { numRuns: 1000 },
  )
})
