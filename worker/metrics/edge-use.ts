/** Counts what the edge notes, by app, domain and ten seconds, and writes it down. */
import { closeSync } from 'node:fs'
import { addCounts, edgeCounts, latencyPlace } from '../../platform/model/edge-use.ts'
import { metricSteps } from '../../platform/model/metrics.ts'
import { addEdgeUse, type EdgeUse } from '../../platform/worker/edge-use.ts'
import { parseRequestNote, type RequestNote } from '../edge/counted.ts'
import { openRequestLog, readRequestNotes } from '../edge/request-log.ts'
import type { Host } from '../host.ts'

const stepMs = metricSteps[0].seconds * 1_000
const keptMs = metricSteps[0].keptSeconds * 1_000
/** What a worker takes with it when it is killed. */
const writeEveryMs = 2_000

export interface EdgeCounter {
  /**
   * Reads what was noted since; now and then, begins to write it down. A database that is slow or away keeps nobody from
   * reading: what can't be written is kept for the next time.
   */
  collect(): Promise<void>
  /** Notes how many requests are under way. */
  sampleOpen(): Promise<void>
  /** Writes down all that is there. */
  flush(): Promise<void>
  /** The beginning of the oldest point written since this was asked last: what was made of later ones is made anew. */
  oldestWritten(): number | null
  /** Writes down what is there. Twice is as once: the descriptor's number is somebody else's by then. */
  close(): Promise<void>
}

export function createEdgeCounter(
  host: Pick<Host, 'id' | 'platform'> & { edge: Pick<Host['edge'], 'openRequests'> },
  home = host.platform.config.home,
): EdgeCounter {
  const descriptor = openRequestLog(home)
  let points = new Map<string, EdgeUse>()
  let writtenAt = 0
  let oldest: number | null = null
  let writing: Promise<void> = Promise.resolve()
  let isWriting = false
  let closing: Promise<void> | null = null

  function pointOf(appId: string, domain: string, at: number): EdgeUse {
    const key = `${appId},${domain},${at}`
    const known = points.get(key)
    if (known !== undefined) return known
    const made = { appId, domain, at, counts: Array<number>(edgeCounts.length).fill(0), openPeak: 0 }
    points.set(key, made)
    return made
  }

  function readNotes(): void {
    readRequestNotes(descriptor, (line) => {
      const note = parseRequestNote(line)
      if (note !== null) tally(note)
    })
  }

  function tally(note: RequestNote): void {
    const at = Math.floor((note.at * 1_000) / stepMs) * stepMs
    if (at < Date.now() - keptMs) return
    addNote(pointOf(note.appId, note.domain, at).counts, note)
  }

  async function write(): Promise<void> {
    readNotes()
    writtenAt = Date.now()
    const taken = points
    points = new Map()
    for (const [key, point] of taken) if (point.at < writtenAt - keptMs) taken.delete(key)
    try {
      await addEdgeUse(host.platform, host.id, [...taken.values()])
      for (const { at } of taken.values()) oldest = Math.min(oldest ?? at, at)
    } catch (error) {
      for (const { appId, domain, at, counts, openPeak } of taken.values()) {
        const point = pointOf(appId, domain, at)
        addCounts(point.counts, counts)
        point.openPeak = Math.max(point.openPeak, openPeak)
      }
      throw error
    }
  }

  /** One after the other: two statements that wait for one another's rows would be ended. */
  function flush(): Promise<void> {
    writing = writing.catch(() => undefined).then(write)
    return writing
  }

  return {
    flush,
    async collect() {
      readNotes()
      if (isWriting || points.size === 0 || Date.now() - writtenAt < writeEveryMs) return
      isWriting = true
      flush()
        .catch((err) =>
          host.platform.log.warn({ err }, 'requests could not be written down; it is tried again'),
        )
        .finally(() => {
          isWriting = false
        })
    },
    async sampleOpen() {
      const open = await host.edge.openRequests()
      const at = Math.floor(Date.now() / stepMs) * stepMs
      for (const [counted, count] of open) {
        const comma = counted.indexOf(',')
        const point = pointOf(counted.slice(0, comma), counted.slice(comma + 1), at)
        point.openPeak = Math.max(point.openPeak, count)
      }
    },
    oldestWritten() {
      const since = oldest
      oldest = null
      return since
    },
    close() {
      closing ??= flush().finally(() => closeSync(descriptor))
      return closing
    },
  }
}

/** Adds one request to the counts of a point. */
function addNote(counts: number[], { status, bytesIn, bytesOut, latencyMs }: RequestNote): void {
  const add = (place: number, count: number) => {
    while (counts.length <= place) counts.push(0)
    counts[place] = (counts[place] ?? 0) + count
  }
  add(edgeCounts.indexOf('requests'), 1)
  if (status !== null) add(edgeCounts.indexOf('status1xx') - 1 + Math.floor(status / 100), 1)
  add(edgeCounts.indexOf('bytesIn'), bytesIn)
  add(edgeCounts.indexOf('bytesOut'), bytesOut)
  if (latencyMs === null) return
  add(edgeCounts.indexOf('latencyMs'), latencyMs)
  add(latencyPlace(latencyMs), 1)
}
