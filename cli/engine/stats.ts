import type { Command } from 'commander'
import type { ProcessRow, StatsRow } from '../../platform/model/engine-door.ts'
import { say } from '../say.ts'
import { openDoor } from './door.ts'
import { showList } from './listing.ts'
import { command, type EngineOptions, interruptible, printJson } from './options.ts'
import { bytes, table } from './table.ts'

export function addStatsCommands(engine: Command): void {
  command(engine, 'stats', 'what containers use, live')
    .argument('[container...]', 'names; default: all that run')
    .option('-a, --all', 'those that do not run too')
    .option('--no-stream', 'once')
    .option('--no-trunc', 'nothing: names are shown whole anyway')
    .option('--format <template>', 'such as {{.Name}}: {{.MemUsage}}, or json', 'table')
    .action(showStats)
  command(engine, 'top', 'the processes of a container').argument('<container>', 'its name').action(top)
}

interface StatsOptions extends EngineOptions {
  all?: boolean
  stream: boolean
  format: string
}

async function showStats(names: string[], options: StatsOptions): Promise<void> {
  await interruptible(async (signal) => {
    let before: Map<string, StatsRow> | null = null
    try {
      const query = { name: names, all: options.all }
      const lines = openDoor(options).lines<StatsRow[]>('GET', '/stats', { query, signal })
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

function show(rows: StatsRow[], before: Map<string, StatsRow>, options: StatsOptions): void {
  const shown = rows.map((row) => ({ ...row, cpuPercent: cpuPercent(row, before.get(row.id)) }))
  if (options.json) {
    if (options.stream) say(JSON.stringify(shown))
    else printJson(shown)
    return
  }
  if (options.stream && process.stdout.isTTY) process.stdout.write('\x1b[H\x1b[2J')
  showList(options.format, {
    headings: {
      ...{ Name: 'CONTAINER', Container: 'CONTAINER', ID: 'ID', CPUPerc: 'CPU', PIDs: 'PIDS' },
      ...{ MemUsage: 'MEMORY / LIMIT', MemPerc: 'MEM', NetIO: 'NET I/O', BlockIO: 'BLOCK I/O' },
    },
    columns: ['Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'],
    rows: shown.map((row) => ({
      ...{ Name: row.name, Container: row.name, ID: row.id, PIDs: String(row.pids) },
      CPUPerc: `${row.cpuPercent.toFixed(1)}%`,
      MemUsage: `${bytes(row.memoryBytes)} / ${bytes(row.limits.memoryBytes)}`,
      MemPerc: `${((row.memoryBytes / row.limits.memoryBytes) * 100).toFixed(1)}%`,
      NetIO: `${bytes(row.receivedBytes)} / ${bytes(row.sentBytes)}`,
      BlockIO: `${bytes(row.readBytes)} / ${bytes(row.writtenBytes)}`,
    })),
  })
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
