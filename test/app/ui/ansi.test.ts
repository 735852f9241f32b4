import { expect, test } from 'vitest'
import { parseAnsi, withoutAnsi } from '../../../app/_ui/ansi.ts'

const esc = String.fromCharCode(27)
const bell = String.fromCharCode(7)

/** Each piece with what is special about it. */
const looks = (line: string) =>
  parseAnsi(line).map(({ text, color, ...flags }) =>
    [text, color, ...Object.entries(flags).flatMap(([name, is]) => (is ? [name] : []))].filter(
      (part) => part !== null,
    ),
  )

test('a line without escapes is one plain piece', () => {
  expect(looks('GET / [200] 0;31m')).toEqual([['GET / [200] 0;31m']])
  expect(looks('')).toEqual([['']])
})

test('colours and looks begin, combine and end where the program says', () => {
  expect(looks(`${esc}[32minfo${esc}[0m up ${esc}[1;31mbad${esc}[22m less${esc}[39m.`)).toEqual([
    ['info', 'green'],
    [' up '],
    ['bad', 'red', 'isBold'],
    [' less', 'red'],
    ['.'],
  ])
  expect(looks(`${esc}[2mdim${esc}[m${esc}[3;4;96mlink${esc}[23;24mx`)).toEqual([
    ['dim', 'isDim'],
    ['link', 'cyan', 'isItalic', 'isUnderlined'],
    ['x', 'cyan'],
  ])
})

test('of many colours the sixteen are shown; their numbers are never taken for other codes', () => {
  expect(looks(`${esc}[38;5;9mred${esc}[38;5;200mpink${esc}[38;2;1;31;4mrgb${esc}[48;5;1;33mground`)).toEqual(
    [['red', 'red'], ['pink'], ['rgb'], ['ground', 'yellow']],
  )
})

test('what moves the cursor, clears, titles or links leaves its text and nothing else', () => {
  const line = `${esc}[2K${esc}[1Gdone ${esc}]8;;https://example.org${esc}\\here${esc}]8;;${bell} ${esc}(B${esc}[?25h!${esc}[`
  expect(withoutAnsi(line)).toBe(`done here !${esc}[`)
  expect(
    parseAnsi(line)
      .map(({ text }) => text)
      .join(''),
  ).toBe(`done here !${esc}[`)
})
