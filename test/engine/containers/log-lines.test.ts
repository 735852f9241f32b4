import { expect, test } from 'vitest'
import type { ContainerRow } from '../../../engine/containers/container-rows.ts'
import { endingOf, unknownExit } from '../../../engine/containers/exits.ts'
import { parseListeningPorts } from '../../../engine/containers/listening-ports.ts'
import { createLogParser, parseCursor } from '../../../engine/containers/log-lines.ts'
import { failuresAfter, restartDelayMs, shouldRestart } from '../../../engine/containers/restart-policy.ts'

const time = '2026-01-31T09:00:00.123456789+01:00'
const file = Buffer.from(
  [
    `${time} stdout F first`,
    `${time} stdout P lo`,
    `${time} stderr F between`,
    `${time} stdout P ng `,
    `${time} stdout F line`,
    `${time} stdout F `,
    `${time} stderr P no end`,
    '',
  ].join('\n'),
)

test('parts are joined by stream, whatever the pieces in which the file is read', () => {
  const whole = ['first', 'between', 'long line', '']
  for (const size of [1, 7, 40, 4096]) {
    const parser = createLogParser(0)
    const lines = []
    for (let at = 0; at < file.length; at += size) lines.push(...parser.push(file.subarray(at, at + size)))
    expect(lines.map(({ text }) => text)).toEqual(whole)
    expect(parser.flush().map(({ text, stream }) => [text, stream])).toEqual([['no end', 'stderr']])
    expect(lines[0]?.time).toBe('2026-01-31T08:00:00.123456789Z')
  }
})

test('going on after any line gives exactly the lines after it, also amid another stream’s parts', () => {
  const lines = createLogParser(0).push(file)
  for (const [index, line] of lines.entries()) {
    const { again, end } = parseCursor(line.cursor)
    const later = createLogParser(again)
      .push(file.subarray(again))
      .filter(({ cursor }) => parseCursor(cursor).end > end)
    expect(later).toEqual(lines.slice(index + 1))
  }
})

test('a line without end is cut into pieces, of which none is lost and none grows with it', () => {
  const piece = 8_000
  const many = 100
  const record = (index: number) => `${time} stdout P ${String(index % 10).repeat(piece)}\n`
  const records = Buffer.from(
    `${Array.from({ length: many }, (_, i) => record(i)).join('')}${time} stdout F end\n`,
  )
  const parser = createLogParser(0)
  const lines = []
  for (let at = 0; at < records.length; at += 65_536)
    lines.push(...parser.push(records.subarray(at, at + 65_536)))
  expect(lines.map(({ text }) => text).join('')).toBe(
    `${Array.from({ length: many }, (_, i) => String(i % 10).repeat(piece)).join('')}end`,
  )
  expect(lines.length).toBe(4)
  for (const { text } of lines.slice(0, 3)) {
    expect(text.length).toBeGreaterThanOrEqual(256 * 1_024)
    expect(text.length).toBeLessThan(256 * 1_024 + piece)
  }
})

test('how long a run was is from its start to its end, and one of ten seconds forgives', () => {
  const startedAt = '2026-01-31T08:00:00.000Z'
  const end = (ranMs: number) => {
    const exit = { ...unknownExit(), exitCode: 1, at: new Date(Date.parse(startedAt) + ranMs) }
    return endingOf({ failures: 7, startedAt } as ContainerRow, exit).failures
  }
  expect([0, 9_999, 10_000, 3_600_000].map(end)).toEqual([8, 8, 1, 1])
})

test('listening ports leave loopback and connections out', () => {
  const text = `  sl  local_address rem_address   st
   0: 00000000:1F90 00000000:0000 0A 0
   1: 0100007F:0CEA 00000000:0000 0A 0
   2: 0200590A:0050 0300590A:9C40 01 0
   3: 0000000000000000FFFF00000100007F:0051 00000000000000000000000000000000:0000 0A 0
   4: 00000000000000000000000000000000:0BB8 00000000000000000000000000000000:0000 0A 0`
  expect(parseListeningPorts(text)).toEqual([8080, 3000])
})

test('restarts wait longer and longer up to a minute, and a healthy run forgives', () => {
  expect([1, 2, 3, 4, 10, 11, 2_000].map(restartDelayMs)).toEqual([
    100, 200, 400, 800, 51_200, 60_000, 60_000,
  ])
  expect(failuresAfter(7, 9_999)).toBe(8)
  expect(failuresAfter(7, 10_000)).toBe(1)
  const limited = { restart: 'on-failure' as const, maxRestarts: 2 }
  expect([1, 2, 3].map((failures) => shouldRestart(limited, 1, failures))).toEqual([true, true, false])
  expect(shouldRestart(limited, 0, 1)).toBe(false)
  expect(shouldRestart(limited, null, 1)).toBe(true)
})
