/** The first page of searches in ten million lines, beside `grep` through the same lines in one file. */
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { run } from '../../cli/processes.ts'
import { parseLogQuery } from '../../platform/model/log-query.ts'
import type { NewLine } from '../../worker/logs/store/log-store.ts'
import { LogReader } from '../../worker/logs/store/reader.ts'
import { LogWriter } from '../../worker/logs/store/writer.ts'
import type { Bench, BenchContext } from '../bench.ts'
import { makeRow, type Row } from '../report.ts'

const lines = 10_000_000
const batch = 5_000
const appId = 'app_bench'
const startMs = Date.UTC(2026, 0, 1)
/** One line each; about a day in all. */
const stepMs = 8

/** What people look for: rare and common, near the end and far from it. */
const searches: [what: string, query: string][] = [
  ['a text that one line has, far back', 'needle-in-the-haystack'],
  ['a text that no line has', 'nothing-like-this'],
  ['a text that every line has', 'request'],
  ['an exact phrase that few have', '"POST /api/payments 502"'],
  ['errors', 'level:error'],
  ['a field of JSON', 'user.id:user-77777'],
  ['a regular expression that some match', '/took 9\\d\\d ms/'],
  ['a text and a regular expression', 'payments /50[24]/'],
]

export const bench: Bench = {
  description: 'the first page of searches in ten million lines, beside grep',
  packages: [],
  async run(context) {
    const folder = await provideLines(context)
    const reader = new LogReader(folder)
    const text = join(folder, 'lines.txt')
    const rows: Row[] = []
    for (const [what, query] of searches) {
      const terms = parseLogQuery(query)
      const [berth, grep]: [number[], number[]] = [[], []]
      let found = ''
      for (let turn = 0; turn < context.runs; turn++) {
        context.signal.throwIfAborted()
        const begin = performance.now()
        const page = reader.search(appId, { terms, order: 'newest', limit: 50 })
        berth.push((performance.now() - begin) / 1_000)
        found = `${page.lines.length} lines${page.stoppedAt === null ? '' : `, looked back to ${page.stoppedAt.slice(0, 19)}`}`
        const pattern = patterns[query]
        if (pattern === undefined) continue
        const began = performance.now()
        await run(['sh', '-c', `tac ${text} | grep -m 50 ${pattern} > /dev/null || true`], {
          signal: context.signal,
        })
        grep.push((performance.now() - began) / 1_000)
      }
      context.note(`${query}: ${found}`)
      const peers: Record<string, number[]> = grep.length === 0 ? {} : { grep }
      rows.push(
        makeRow({ what: `${what}: ${query} (${found})`, unit: 's', berth, peers, budget: { atMost: 1 } }),
      )
    }
    const counted: number[] = []
    for (let turn = 0; turn < context.runs; turn++) {
      const begin = performance.now()
      reader.histogram(appId, { buckets: 60 })
      counted.push((performance.now() - begin) / 1_000)
    }
    rows.push(
      makeRow({ what: 'the histogram of all of them', unit: 's', berth: counted, budget: { atMost: 1 } }),
    )
    return rows
  },
}

/** The same for grep, newest first and no more than a page. */
const patterns: Record<string, string> = {
  'needle-in-the-haystack': '-iF needle-in-the-haystack',
  'nothing-like-this': '-iF nothing-like-this',
  request: '-iF request',
  '"POST /api/payments 502"': "-F 'POST /api/payments 502'",
  '/took 9\\d\\d ms/': "-E 'took 9[0-9][0-9] ms'",
}

/** Made once: it takes some minutes. */
async function provideLines({ cache, note, signal }: BenchContext): Promise<string> {
  const folder = join(cache, `log-lines-${lines}`)
  if (existsSync(folder)) return folder
  const making = `${folder}.making`
  rmSync(making, { recursive: true, force: true })
  mkdirSync(making, { recursive: true })
  const writer = new LogWriter(making)
  const text = createWriteStream(join(making, 'lines.txt'))
  const source = { name: 'c@1', containerId: 'c', deploymentId: 'dep_1', process: 'web', replica: 0 }
  for (let first = 1; first <= lines; first += batch) {
    signal.throwIfAborted()
    const made = Array.from({ length: batch }, (_, index) => lineOf(first + index))
    writer.append(appId, source, made, String(first))
    if (!text.write(`${made.map((line) => line.text).join('\n')}\n`))
      await new Promise<void>((resolve) => text.once('drain', () => resolve()))
    if ((first - 1) % 1_000_000 === 0) note(`${first - 1} of ${lines} lines are kept`)
    await new Promise((resolve) => setImmediate(resolve))
  }
  writer.close()
  await new Promise<void>((resolve) => text.end(() => resolve()))
  renameSync(making, folder)
  return folder
}

const paths = ['/api/orders', '/api/users', '/api/payments', '/healthz', '/assets/app.js']

/** Always the same for a number, and like what services write. */
function lineOf(number: number): NewLine {
  const random = Math.imul(number ^ (number >>> 15), 0x2c1b3c6d) >>> 0
  const time = new Date(startMs + number * stepMs).toISOString()
  const path = paths[random % paths.length] ?? ''
  const took = random % 1_000
  const status = random % 997 === 0 ? 502 : random % 41 === 0 ? 404 : 200
  const stream = 'stdout' as const
  if (number === 1_234_567) return { time, stream, text: `request with a needle-in-the-haystack ${number}` }
  if (number % 3 === 0) {
    const level = status === 502 ? 'error' : 'info'
    const user = { id: `user-${random % 100_000}` }
    return { time, stream, text: JSON.stringify({ level, msg: 'request done', path, status, took, user }) }
  }
  const level = status === 502 ? 'ERROR' : 'INFO'
  const method = random % 4 === 0 ? 'POST' : 'GET'
  return { time, stream, text: `${level} request ${number} ${method} ${path} ${status} took ${took} ms` }
}
