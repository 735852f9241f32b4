import type { Command } from 'commander'
import type { PrunedVolumeRow, VolumeRow } from '../../platform/model/engine-door.ts'
import { CommandError, say } from '../say.ts'
import { isSure, mustBeTerminal } from './confirm.ts'
import { openDoor } from './door.ts'
import { command, type EngineOptions, forEach, pair, printJson, sizeInBytes } from './options.ts'
import { ago, bytes, table } from './table.ts'

export function addVolumeCommands(engine: Command): void {
  const volume = engine.command('volume').description('folders that outlive containers')
  command(volume, 'ls', 'list volumes').option('-q, --quiet', 'names alone').action(list)
  command(volume, 'create', 'make a volume')
    .argument('<name>', '1–63 of a–z, 0–9, _, . and -')
    .option('--size <size>', 'what it can hold at most, such as 10g', sizeInBytes)
    .option('-l, --label <name=value>', 'a label', pair())
    .action(create)
  command(volume, 'inspect', 'volumes and what is in them, as JSON')
    .argument('<volume...>', 'names')
    .action(async (names: string[], options: EngineOptions) => {
      const door = openDoor(options)
      const found: unknown[] = []
      for (const name of names) found.push(await door.ask('GET', `/volumes/${encodeURIComponent(name)}`))
      printJson(found)
    })
  command(volume, 'prune', "remove the operator's volumes that no container mounts; apps' volumes stay")
    .option('-f, --force', 'do not ask')
    .action(prune)
  command(volume, 'rm', 'remove volumes that no container mounts, with all that is in them')
    .argument('<volume...>', 'names')
    .action(async (names: string[], options: EngineOptions) => {
      const door = openDoor(options)
      await forEach(names, async (name) => {
        await door.ask('DELETE', `/volumes/${encodeURIComponent(name)}`)
        return name
      })
    })
}

async function prune(options: EngineOptions & { force?: boolean }): Promise<void> {
  if (!options.force) {
    mustBeTerminal()
    const warning = 'All volumes of the operator that no container mounts go, with all that is in them.'
    if (!(await isSure(`${warning} Go on?`))) throw new CommandError('Nothing was removed.')
  }
  const pruned = await openDoor(options).ask<PrunedVolumeRow[]>('POST', '/volumes/prune')
  if (options.json) return printJson(pruned)
  for (const { name } of pruned) say(`Deleted: ${name}`)
  say(`Freed ${bytes(pruned.reduce((sum, { usedBytes }) => sum + usedBytes, 0))}`)
}

async function list(options: EngineOptions & { quiet?: boolean }): Promise<void> {
  const rows = await openDoor(options).ask<VolumeRow[]>('GET', '/volumes')
  if (options.json) return printJson(rows)
  if (options.quiet) {
    for (const { name } of rows) say(name)
    return
  }
  const lines = rows.map(({ name, sizeBytes, createdAt, usedBy }) => [
    name,
    sizeBytes === null ? 'no limit' : bytes(sizeBytes),
    ago(createdAt),
    usedBy.join(', '),
  ])
  say(table(['VOLUME', 'LIMIT', 'CREATED', 'USED BY'], lines))
}

async function create(
  name: string,
  options: EngineOptions & { size?: number; label?: Record<string, string> },
): Promise<void> {
  const body = { name, sizeBytes: options.size, labels: options.label ?? {} }
  const made = await openDoor(options).ask<VolumeRow>('POST', '/volumes', { body })
  if (options.json) return printJson(made)
  say(made.name)
}
