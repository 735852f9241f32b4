import { readdirSync, readFileSync } from 'node:fs'

/** Memory of all processes whose command line has this word, each shared page counted once (PSS), in bytes. */
export function memoryOf(word: string): number {
  let bytes = 0
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word)) continue
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
      bytes += Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1_024
    } catch {
      // It has ended meanwhile.
    }
  return bytes
}
