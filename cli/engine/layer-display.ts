import { styleText } from 'node:util'
import type { LayerLine, PushLine } from '../../platform/model/engine-door.ts'
import { bytes, short } from './table.ts'

/** A layer that comes or goes. */
export type Line = LayerLine | PushLine

export interface LayerDisplay {
  show(layers: Line[]): void
  /** Leaves the last picture standing. */
  close(): void
}

const words: Record<Line['state'], string> = {
  waiting: 'Waiting',
  downloading: 'Downloading',
  verifying: 'Verifying',
  unpacking: 'Unpacking',
  done: 'Done',
  exists: 'Already here',
  uploading: 'Pushing',
  mounted: 'Mounted',
}

const barColumns = 30

/**
 * Progress by layer: on a terminal a line for each, drawn again in place; otherwise a line at each change of state.
 * Writes to standard error, so that standard output has the result alone.
 */
export function layerDisplay(out: NodeJS.WriteStream = process.stderr): LayerDisplay {
  return out.isTTY ? redrawing(out) : plain(out)
}

function redrawing(out: NodeJS.WriteStream): LayerDisplay {
  let drawn = 0
  const sum = summary()
  return {
    show(layers) {
      // A serial line, or a recording, says that it has 0 of them.
      const [rows, columns] = [out.rows || 24, out.columns || 80]
      // More lines than the terminal has can't be drawn over again: the finished ones stand for themselves in a sum.
      const room = Math.max(1, rows - 2)
      const last = sum(layers)
      const lines = [...picture(layers, room - last.length), ...last].map((line) =>
        line.slice(0, columns - 1),
      )
      const up = drawn === 0 ? '' : `\x1b[${drawn}A`
      out.write(`${up}${lines.map((line) => `\x1b[2K${paint(line)}\n`).join('')}\x1b[0J`)
      drawn = lines.length
    },
    close() {
      drawn = 0
    },
  }
}

function picture(layers: Line[], room: number): string[] {
  if (layers.length <= room) return layers.map(lineOf)
  const finished = layers.filter(isFinished)
  const others = layers.filter((layer) => !finished.includes(layer))
  const shown = others.slice(0, Math.max(0, room - 1))
  const hidden = others.length - shown.length
  return [
    `${finished.length} of ${layers.length} layers done${hidden > 0 ? `, ${hidden} more wait` : ''}`,
    ...shown.map(lineOf),
  ]
}

/** How far all of it is and how fast it goes; nothing where nothing has to come. */
export function summary(nowMs: () => number = () => performance.now()): (layers: Line[]) => string[] {
  const beganMs = nowMs()
  return (layers) => {
    const coming = layers.filter(({ state }) => state !== 'exists' && state !== 'mounted')
    if (coming.length === 0) return []
    const all = coming.reduce((sum, { totalBytes }) => sum + totalBytes, 0)
    const done = coming.reduce((sum, layer) => sum + transferred(layer), 0)
    const seconds = (nowMs() - beganMs) / 1_000
    if (coming.every(isFinished)) return [`${bytes(all)} in ${seconds.toFixed(1)} s`]
    const rate = seconds < 1 ? '' : `, ${bytes(done / seconds)}/s`
    return [`${bytes(done)} of ${bytes(all)}${rate}`]
  }
}

/** Bytes that came or went: what is verified or unpacked by now is here. */
function transferred({ state, doneBytes, totalBytes }: Line): number {
  if (state === 'waiting') return 0
  return state === 'downloading' || state === 'uploading' ? doneBytes : totalBytes
}

function isFinished({ state }: Pick<Line, 'state'>): boolean {
  return state === 'done' || state === 'exists' || state === 'mounted'
}

/** One layer: its digest, its state, and how far it is. */
export function lineOf({ digest, state, doneBytes, totalBytes }: Line): string {
  const name = `${short(digest)}: ${words[state]}`
  if (state === 'waiting' || isFinished({ state })) return name
  const share = totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes)
  const full = Math.round(share * barColumns)
  const bar = `${'='.repeat(full)}${full < barColumns ? '>' : ''}`.slice(0, barColumns).padEnd(barColumns)
  return `${name.padEnd(26)} [${bar}] ${bytes(doneBytes)} of ${bytes(totalBytes)}`
}

function paint(line: string): string {
  if (process.env.NO_COLOR) return line
  if (/: (Done|Already here|Mounted)/.test(line)) return styleText('green', line)
  return line
}

function plain(out: NodeJS.WriteStream): LayerDisplay {
  const last = new Map<string, string>()
  return {
    show(layers) {
      for (const layer of layers) {
        if (last.get(layer.digest) === layer.state) continue
        last.set(layer.digest, layer.state)
        const size =
          layer.state === 'downloading' || layer.state === 'uploading' ? ` ${bytes(layer.totalBytes)}` : ''
        out.write(`${short(layer.digest)}: ${words[layer.state]}${size}\n`)
      }
    },
    close() {},
  }
}
