import { closeSync, createReadStream, openSync, statSync, truncateSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'

const lookEveryMs = 300
const maxBytes = 2 ** 20

export interface PartOutput {
  /** What the part writes to: it appends. */
  descriptor: number
  /** Tells what is left, and no more from now on. */
  close(): Promise<void>
}

/**
 * A file that a part writes to in place of a pipe, and its lines as they come. Whoever writes to a pipe that nobody
 * reads any more is ended by the kernel: what outlives its supervisor can't have one.
 */
export function followOutput(path: string, onLine: (line: string) => void): PartOutput {
  const descriptor = openSync(path, 'a', 0o600)
  const decoder = new StringDecoder('utf8')
  let read = statSync(path).size
  let rest = ''
  let looking: Promise<void> = Promise.resolve()

  async function look(): Promise<void> {
    const { size } = statSync(path)
    if (size < read) read = size
    if (size > read) {
      for await (const chunk of createReadStream(path, { start: read, end: size - 1 })) take(chunk as Buffer)
      read = size
    }
    // It appends: after this it goes on at the beginning.
    if (size > maxBytes) {
      truncateSync(path)
      read = 0
    }
  }

  function take(chunk: Buffer): void {
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  }

  const next = () => {
    // A full disk, a home that is taken away: there is nothing to tell then.
    looking = looking.then(look).catch(() => undefined)
    return looking
  }
  const timer = setInterval(next, lookEveryMs)
  let isOpen = true
  return {
    descriptor,
    async close() {
      clearInterval(timer)
      if (isOpen) closeSync(descriptor)
      isOpen = false
      await next()
    },
  }
}
