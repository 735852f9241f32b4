/** `berth logs`: what the parts wrote, of all of them in the order of time. */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError, paint, say } from '../say.ts'
import { type HomeOptions, homeFolder, mustHaveSettings } from '../settings.ts'
import { partNames } from './status.ts'

const lookEveryMs = 250

interface LogFile {
  name: string
  path: string
  /** Of the file that `offset` belongs to: a file that was rotated has another. */
  inode: number
  offset: number
}

export async function logs(
  part: string | undefined,
  options: HomeOptions & { follow?: boolean; lines: number },
): Promise<void> {
  const home = homeFolder(options)
  mustHaveSettings(home)
  const known = ['berth', ...partNames]
  if (part !== undefined && !known.includes(part))
    throw new CommandError(
      `There is no part ${JSON.stringify(part)}. Parts are ${known.join(', ')}; an app is TEAM/PROJECT/APP.`,
    )
  const files = (part === undefined ? known : [part]).map((name): LogFile => {
    return { name, path: join(home, 'logs', `${name}.log`), inode: 0, offset: 0 }
  })
  const show = (lines: { name: string; text: string }[]) => {
    for (const { name, text } of lines)
      say(part === undefined ? `${paint('cyan', name.padEnd(9))}${text}` : text)
  }
  // What belongs before the first line of a file that was rotated just now.
  const earlier = files.map((file) => ({ ...file, path: `${file.path}.1` }))
  const all = [...earlier.flatMap(newLines), ...files.flatMap(newLines)]
  if (options.lines > 0) show(inOrder(all).slice(-options.lines))
  while (options.follow) {
    await sleep(lookEveryMs)
    show(inOrder(files.flatMap(newLines)))
  }
}

/** Lines begin with an ISO time; one without stays behind the one before it. */
export function inOrder(lines: { name: string; text: string }[]): { name: string; text: string }[] {
  let time = ''
  return lines
    .map((line) => {
      time = /^\d{4}-\d\d-\d\dT\S+Z/.exec(line.text)?.[0] ?? time
      return { line, time }
    })
    .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
    .map(({ line }) => line)
}

/** Whole lines that were written since the last time. */
function newLines(file: LogFile): { name: string; text: string }[] {
  if (!existsSync(file.path)) return []
  const descriptor = openSync(file.path, 'r')
  try {
    const { ino, size } = fstatSync(descriptor)
    if (ino !== file.inode || size < file.offset) Object.assign(file, { inode: ino, offset: 0 })
    const bytes = Buffer.alloc(size - file.offset)
    readSync(descriptor, bytes, 0, bytes.length, file.offset)
    const whole = bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1)
    file.offset += whole.length
    return whole
      .toString()
      .split('\n')
      .filter((text) => text !== '')
      .map((text) => ({ name: file.name, text }))
  } finally {
    closeSync(descriptor)
  }
}
