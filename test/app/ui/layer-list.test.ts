/** What the deploy page shows of an image that comes. */
import { NextIntlClientProvider } from 'next-intl'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import en from '../../../app/_messages/en.json'
import zhCN from '../../../app/_messages/zh-CN.json'
import { LayerList } from '../../../app/(dashboard)/[team]/[project]/[app]/layer-list.tsx'
import { type LayerProgress, layerStates } from '../../../platform/model/events.ts'

const layers = layerStates.map(
  (state, i): LayerProgress => ({
    digest: `sha256:${String(i).repeat(64)}`,
    state,
    doneBytes: state === 'waiting' ? 0 : 5 * 2 ** 20,
    totalBytes: 10 * 2 ** 20,
  }),
)

function shown(
  locale: 'en' | 'zh-CN',
  messages: typeof en,
): { sum: string; lines: string[]; percents: number[] } {
  const props = { locale, messages, timeZone: 'UTC', children: createElement(LayerList, { layers }) }
  const html = renderToStaticMarkup(createElement(NextIntlClientProvider, props))
  const text = (part: string) =>
    part
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim()
  const [head = '', ...items] = html.split('<li')
  return {
    sum: text(head),
    lines: items.map((item) => text(`<li${item}`)),
    percents: [...html.matchAll(/aria-valuenow="(\d+)"/g)].map(([, percent]) => Number(percent)),
  }
}

test('each layer says what becomes of it and how far it is, and the sum how much of all is here', () => {
  const { sum, lines, percents } = shown('en', en)
  expect(sum).toBe('2 of 6 layers 35 MiB / 60 MiB')
  expect(lines.map((line) => line.replace(/^\S+ /, ''))).toEqual([
    'Waiting',
    '5 MiB / 10 MiB',
    'Verifying',
    'Unpacking',
    'Done',
    'Here already',
  ])
  expect(lines[4]).toMatch(/^4{6,} /)
  expect(percents).toEqual([0, 50, 50, 50, 100, 100])
})

test('in Chinese too', () => {
  const { sum, lines } = shown('zh-CN', zhCN)
  expect(sum).toMatch(/^2 \/ 6 层 /)
  expect(lines.map((line) => line.replace(/^\S+ /, ''))).toEqual([
    '等待中',
    '5 MiB / 10 MiB',
    '校验中',
    '解包中',
    '完成',
    '已存在',
  ])
})
