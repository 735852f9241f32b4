import type { Command } from 'commander'
import type { ProcessRow, StatsRow } from '../../platform/model/engine-door.ts'
import { say } from '../say.ts'
import { openDoor } from './door.ts'
import { command, type EngineOptions, interruptible, printJson } from './options.ts'
import { bytes, table } from './table.ts'

export function addStatsCommands(engine: Command): void {
  command(engine, 'stats', 'what containers use, live')
    .argument('[container...]', 'names; default: all that run')
    .option('--no-stream', 'once')
    .action(showStats)
  command(engine, 'top', 'the processes of a container').argument('<container>', 'its name').action(top)
}

async function showStats(names: string[], options: EngineOptions & { stream: boolean }): Promise<void> {
  await interruptible(async (signal) => {
    let before: Map<string, StatsRow> | null = null
    try {
      const lines = openDoor(options).lines<StatsRow[]>('GET', '/stats', { query: { name: names }, signal })
      for await (const rows of lines) {
        // A rate needs two looks: the first alone shows nothing of the processor.
        if (before !== null) show(rows, before, options)
        if (before !== null && !options.stream) return
        before = new Map(rows.map((row) => [row.id, row]))
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  })
}

function show(
  rows: StatsRow[],
  before: Map<string, StatsRow>,
  options: EngineOptions & { stream: boolean },
): void {
  const shown = rows.map((row) => ({ ...row, cpuPercent: cpuPercent(row, before.get(row.id)) }))
  if (options.json) {
    if (options.stream) say(JSON.stringify(shown))
    else printJson(shown)
    return
  }
  const text = table(
    ['CONTAINER', 'CPU', 'MEMORY / LIMIT', 'MEM', 'NET I/O', 'BLOCK I/O', 'PIDS'],
    shown.map((row) => [
      row.name,
      `${row.cpuPercent.toFixed(1)}%`,
      `${bytes(row.memoryBytes)} / ${bytes(row.limits.memoryBytes)}`,
      `${((row.memoryBytes / row.limits.memoryBytes) * 100).toFixed(1)}%`,
      `${bytes(row.receivedBytes)} / ${bytes(row.sentBytes)}`,
      `${bytes(row.readBytes)} / ${bytes(row.writtenBytes)}`,
      String(row.pids),
    ]),
  )
  const isLive = options.stream && process.stdout.isTTY
  process.stdout.write(`${isLive ? '\x1b[H\x1b[2J' : ''}${text}\n`)
}

/** Of one processor: 200 % is two of them. */
export function cpuPercent(now: StatsRow, before: StatsRow | undefined): number {
  if (before === undefined) return 0
  const passedNs = (Date.parse(now.at) - Date.parse(before.at)) * 1e6
  return passedNs > 0 ? Math.max(0, ((now.cpuNs - before.cpuNs) / passedNs) * 100) : 0
}

async function top(id: string, options: EngineOptions): Promise<void> {
  const rows = await openDoor(options).ask<ProcessRow[]>('GET', `/containers/${encodeURIComponent(id)}/top`)
  if (options.json) return printJson(rows)
  const lines = rows.map((row) => [
    String(row.uid),
    String(row.pid),
    String(row.hostPid),
    row.state,
    `${(row.cpuMs / 1_000).toFixed(2)} s`,
    bytes(row.memoryBytes),
    row.command.join(' '),
  ])
  say(table(['UID', 'PID', 'HOST PID', 'STATE', 'CPU', 'MEMORY', 'COMMAND'], lines))
}
