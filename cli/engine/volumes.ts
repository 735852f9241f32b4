import { type Command, Option } from 'commander'
import type { PrunedVolumeRow, VolumeRow } from '../../platform/model/engine-door.ts'
import { CommandError, say } from '../say.ts'
import { isSure, mustBeTerminal } from './confirm.ts'
import { openDoor } from './door.ts'
import { type Filter, filter, hasLabel, passes } from './filter.ts'
import { type ListingOptions, showRows } from './listing.ts'
import { inspectEach, removeEach } from './named.ts'
import { newName } from './new-name.ts'
import { command, type EngineOptions, pair, printJson, sizeInBytes } from './options.ts'
import { ago, bytes } from './table.ts'

export function addVolumeCommands(engine: Command): void {
  const volume = engine.command('volume').description('folders that outlive containers')
  command(volume, 'ls', 'list volumes')
    .option('-q, --quiet', 'names alone')
    .option('-f, --filter <key=value>', `only those of this ${filterKeys.join(', ')}`, filter(filterKeys))
    .option('--format <template>', 'such as {{.Name}}: {{.Limit}}, or json', 'table')
    .action(list)
  command(volume, 'create', 'make a volume')
    .argument('[name]', '1–63 of a–z, 0–9, _, . and -; default: two words and a number')
    .addOption(new Option('-d, --driver <name>', 'there is one').choices(['local']))
    .option('--size <size>', 'what it can hold at most, such as 10g', sizeInBytes)
    .option('-o, --opt <size=n>', 'the same, as size=10g', pair)
    .option('-l, --label <name=value>', 'a label', pair)
    .action(create)
  command(volume, 'inspect', 'volumes and what is in them, as JSON')
    .argument('<volume...>', 'names')
    .option('-f, --format <template>', 'such as {{.sizeBytes}} or {{.usedBy}}')
    .action((names: string[], options: EngineOptions & { format?: string }) =>
      inspectEach(names, '/volumes', options),
    )
  command(volume, 'prune', "remove the operator's volumes that no container mounts; apps' volumes stay")
    .option('-f, --force', 'do not ask')
    .option('-a, --all', 'all of them, which is what goes anyway')
    .action(prune)
  command(volume, 'rm', 'remove volumes that no container mounts, with all that is in them')
    .argument('<volume...>', 'names')
    .option('-f, --force', 'say nothing of one that is not there')
    .action((names: string[], options: EngineOptions & { force?: boolean }) =>
      removeEach(names, '/volumes', options),
    )
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

const filterKeys = ['name', 'label', 'dangling'] as const

interface ListOptions extends EngineOptions, ListingOptions {
  filter?: Filter[]
}

async function list(options: ListOptions): Promise<void> {
  const all = await openDoor(options).ask<VolumeRow[]>('GET', '/volumes')
  const rows = all.filter((row) => passes(options.filter ?? [], (each) => isOf(each, row)))
  showRows(options, rows, ({ name }) => name, {
    headings: {
      ...{ Name: 'VOLUME', Limit: 'LIMIT', Created: 'CREATED', UsedBy: 'USED BY', Labels: 'LABELS' },
      ...{ Driver: 'DRIVER', Scope: 'SCOPE' },
    },
    columns: ['Name', 'Limit', 'Created', 'UsedBy'],
    rows: rows.map(({ name, sizeBytes, createdAt, usedBy, labels }) => ({
      ...{ Name: name, Limit: sizeBytes === null ? 'no limit' : bytes(sizeBytes), Created: ago(createdAt) },
      ...{ UsedBy: usedBy.join(', '), Driver: 'local', Scope: 'local' },
      Labels: Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
    })),
  })
}

function isOf({ key, value }: Filter, { name, labels, usedBy }: VolumeRow): boolean {
  if (key === 'name') return name.includes(value)
  if (key === 'label') return hasLabel(labels, value)
  return String(usedBy.length === 0) === value
}

interface CreateOptions extends EngineOptions {
  size?: number
  opt?: Record<string, string>
  label?: Record<string, string>
}

async function create(name: string | undefined, options: CreateOptions): Promise<void> {
  const { size, ...unknown } = options.opt ?? {}
  const [other] = Object.keys(unknown)
  if (other !== undefined) throw new CommandError(`A volume has no ${other} here: -o takes size=10g.`)
  const sizeBytes = options.size ?? (size === undefined ? undefined : sizeInBytes(size))
  const body = { name: name ?? newName(), sizeBytes, labels: options.label ?? {} }
  const made = await openDoor(options).ask<VolumeRow>('POST', '/volumes', { body })
  if (options.json) return printJson(made)
  say(made.name)
}
