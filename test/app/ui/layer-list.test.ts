/** What the deploy page shows of an image that comes. */
import { NextIntlClientProvider } from 'next-intl'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import en from '../../../app/_messages/en.json'
import zhCN from '../../../app/_messages/zh-CN.json'
import { LayerList } from '../../../app/(dashboard)/[team]/[project]/[app]/layer-list.tsx'
import {
  afterLayers,
  stalledAfterMs,
  stalledLayers,
} from '../../../app/(dashboard)/[team]/[project]/[app]/stalled-layers.ts'
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
  stalled?: ReadonlyMap<string, number>,
): { sum: string; lines: string[]; percents: number[] } {
  const props = { locale, messages, timeZone: 'UTC', children: createElement(LayerList, { layers, stalled }) }
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

test('a layer of which nothing came for a while says so, for as long as it is on its way', () => {
  const [waiting, downloading] = layers as [LayerProgress, LayerProgress]
  const { digest } = downloading
  const begun = afterLayers(new Map(), [waiting, downloading], 1_000)
  const at = (seen: typeof begun, nowMs: number) => [...stalledLayers(seen, nowMs)]
  expect(at(begun, 1_000 + stalledAfterMs - 1)).toEqual([])
  expect(at(begun, 1_000 + stalledAfterMs)).toEqual([[digest, 5]])
  // Told again with the same bytes, because another layer moved.
  const same = afterLayers(begun, [downloading], 4_000)
  expect(at(same, 1_000 + stalledAfterMs)).toEqual([[digest, 5]])
  const more = afterLayers(same, [{ ...downloading, doneBytes: downloading.doneBytes + 1 }], 6_000)
  expect(at(more, 10_999)).toEqual([])
  expect(at(more, 18_500)).toEqual([[digest, 12]])
  expect(at(afterLayers(more, [{ ...downloading, state: 'verifying' }], 7_000), 60_000)).toEqual([])
  expect(shown('en', en, new Map([[digest, 12]])).lines[1]).toMatch(
    /MiB The registry has sent nothing for 12 seconds\.$/,
  )
  expect(shown('zh-CN', zhCN, new Map([[digest, 12]])).lines[1]).toMatch(/镜像仓库已 12 秒没有发送数据。$/)
})
