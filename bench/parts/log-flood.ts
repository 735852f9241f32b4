/** A container that writes at a known pace, and what arrived of it. */

export const floodLines = 150_000
const pause = 10
const perBurst = 250
const burstSeconds = 0.024

const end = 'the flood is over'
const filler = 'GET /api/orders HTTP/1.1 200 took 12 ms user 42 from 203.0.113.7'

/** After a while, in which whoever wants to follows it: about 10,000 lines a second, numbered, for 15 s. Then it serves on. */
export const floodCommand = [
  '/bin/sh',
  '-c',
  `trap "exit 0" TERM; httpd -f -p 8080 -h /www & busybox sleep ${pause}
   n=1; while [ $n -lt ${floodLines} ]; do
     busybox seq $n $((n + ${perBurst - 1})) | busybox sed 's|$| ${filler}|'; n=$((n + ${perBurst}))
     busybox sleep ${burstSeconds}
   done; echo '${end}'; wait`,
]

export interface Arrived {
  linesPerSecond: number
  lost: number
  reordered: number
  /** From when the container's monitor read a line to when the reader had it. */
  p95Ms: number
}

/** Takes lines as they arrive. */
export function createFloodReader(): { take(text: string, time: string): boolean; result(): Arrived } {
  const latencies: number[] = []
  let [first, last, count, reordered] = [0, 0, 0, 0]
  let [firstAt, lastAt] = [0, 0]
  return {
    /** True once it is over. */
    take(text, time) {
      if (text === end) return true
      const number = Number(/^(\d+) GET/.exec(text)?.[1] ?? Number.NaN)
      if (Number.isNaN(number)) return false
      const now = Date.now()
      if (count === 0) [first, firstAt] = [number, now]
      if (number < last) reordered += 1
      last = Math.max(last, number)
      lastAt = now
      count += 1
      latencies.push(now - Date.parse(time.replace(/(\.\d{3})\d+/, '$1')))
      return false
    },
    result() {
      const sorted = latencies.toSorted((a, b) => a - b)
      return {
        linesPerSecond: (count / Math.max(1, lastAt - firstAt)) * 1_000,
        lost: last - first + 1 - count,
        reordered,
        p95Ms: Math.max(1, sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN),
      }
    },
  }
}
