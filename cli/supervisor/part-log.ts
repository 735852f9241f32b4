import { closeSync, existsSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const maxBytes = 8 * 2 ** 20

export interface PartLog {
  write(line: string): void
  close(): void
}

/** `<home>/logs/<part>.log`: at 8 MiB it becomes `<part>.log.1`, and the one before that goes. */
export function openPartLog(home: string, name: string): PartLog {
  const path = join(home, 'logs', `${name}.log`)
  let file = openSync(path, 'a', 0o600)
  let isOpen = true
  let size = existsSync(path) ? statSync(path).size : 0
  return {
    write(line) {
      if (!isOpen) return
      const text = `${new Date().toISOString()} ${line}\n`
      if (size + text.length > maxBytes) {
        closeSync(file)
        renameSync(path, `${path}.1`)
        file = openSync(path, 'a', 0o600)
        size = 0
      }
      try {
        size += writeSync(file, text)
      } catch {
        // A full disk must not take the platform down with it.
      }
    },
    close() {
      if (isOpen) closeSync(file)
      isOpen = false
    },
  }
}
