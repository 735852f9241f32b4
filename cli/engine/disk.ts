import { type Command, InvalidArgumentError } from 'commander'
import type { PrunedRow, PruneRequest, UsageRow } from '../../platform/model/engine-door.ts'
import { CommandError, say } from '../say.ts'
import { isSure, mustBeTerminal } from './confirm.ts'
import { openDoor } from './door.ts'
import { showList } from './listing.ts'
import { collect, command, type EngineOptions, moment, printJson } from './options.ts'
import { ago, bytes, short, table } from './table.ts'

export function addDiskCommands(engine: Command): void {
  command(engine, 'df', 'what takes how much of the disk')
    .option('-v, --verbose', 'each image, layer, container and volume')
    .option('--format <template>', 'such as {{.Type}}: {{.Size}}, or json', 'table')
    .action(df)
  command(engine, 'prune', 'remove images that nothing needs and that have no name')
    .option('-a, --all', 'also those with a name; never what an app runs or can be rolled back to')
    .option('-f, --force', 'do not ask first')
    .option('--filter <filter>', `${filterForms}, as with Docker`, pruneFilter, [])
    .option(
      '--until <time>',
      'only what was of no use for so long, such as 24h or 7d, or since a time',
      moment,
    )
    .option('--label <name=value>', 'only images with this label', collect, [])
    .option('--dry-run', 'say what would go')
    .action(prune)
}

async function df(options: EngineOptions & { verbose?: boolean; format: string }): Promise<void> {
  const usage = await openDoor(options).ask<UsageRow>('GET', '/disk')
  if (options.json) return printJson(usage)
  const { images, containers, volumes, disk } = usage
  const sum = (numbers: number[]) => numbers.reduce((all, each) => all + each, 0)
  const inUse = images.filter((image) => image.containers.length > 0).length
  const written = sum(containers.map(({ writableBytes, logBytes }) => writableBytes + logBytes))
  const kept = sum(volumes.map(({ sizeBytes }) => sizeBytes))
  const row = (Type: string, count: number, Active: string, size: number, Reclaimable: string) => ({
    ...{ Type, TotalCount: String(count), Active, Size: bytes(size), Reclaimable },
  })
  showList(options.format, {
    headings: {
      ...{ Type: 'WHAT', TotalCount: 'COUNT', Active: 'IN USE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
    },
    columns: ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable'],
    rows: [
      row('Images', images.length, String(inUse), usage.imageBytes, bytes(usage.reclaimableBytes)),
      row('Containers', containers.length, '', written, ''),
      row('Volumes', volumes.length, '', kept, ''),
    ],
  })
  if (options.format !== 'table') return
  say(
    `\nDisk: ${bytes(disk.freeBytes)} of ${bytes(disk.totalBytes)} free (${disk.usedPercent.toFixed(0)} % used)`,
  )
  if (options.verbose) details(usage)
}

function details({ images, layers, containers, volumes }: UsageRow): void {
  const imageLines = images.map((image) => [
    image.references[0] ?? '<none>',
    short(image.digest),
    bytes(image.sizeBytes),
    bytes(image.uniqueBytes),
    bytes(image.sharedBytes),
    String(image.containers.length),
    ago(image.usedAt),
  ])
  say(`\n${table(['IMAGE', 'DIGEST', 'SIZE', 'UNIQUE', 'SHARED', 'CONTAINERS', 'USED'], imageLines)}`)
  const layerLines = layers
    .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
    .map(({ diffId, sizeBytes, images: sharers }) => [short(diffId), bytes(sizeBytes), String(sharers)])
  say(`\n${table(['LAYER', 'UNPACKED', 'IMAGES'], layerLines)}`)
  const containerLines = containers.map(({ id, writableBytes, logBytes }) => [
    id,
    bytes(writableBytes),
    bytes(logBytes),
  ])
  say(`\n${table(['CONTAINER', 'WRITTEN', 'LOG'], containerLines)}`)
  say(
    `\n${table(
      ['VOLUME', 'SIZE'],
      volumes.map(({ name, sizeBytes }) => [name, bytes(sizeBytes)]),
    )}`,
  )
}

interface PruneOptions extends EngineOptions {
  all?: boolean
  until?: string
  label: string[]
  dryRun?: boolean
  force?: boolean
  filter: string[]
}

const filterForms = 'until=TIME, label=NAME, label=NAME=VALUE or label!=NAME'

function pruneFilter(text: string, all: string[]): string[] {
  readPruneFilters([text])
  return collect(text, all)
}

/** What Docker's filters of `image prune` mean for the worker. */
export function readPruneFilters(
  texts: string[],
): Required<Pick<PruneRequest, 'unusedForMs' | 'labels' | 'withoutLabels'>> {
  const read = {
    unusedForMs: 0,
    labels: {} as Record<string, string | null>,
    withoutLabels: {} as Record<string, string | null>,
  }
  for (const text of texts) {
    const [, key = '', value = ''] = /^(until=|label=|label!=)(.+)$/s.exec(text) ?? []
    if (key === '') throw new InvalidArgumentError(`It must be ${filterForms}.`)
    if (key === 'until=') {
      read.unusedForMs = Math.max(0, Date.now() - Date.parse(moment(value)))
      continue
    }
    const at = value.indexOf('=')
    const labels = key === 'label=' ? read.labels : read.withoutLabels
    labels[at < 0 ? value : value.slice(0, at)] = at < 0 ? null : value.slice(at + 1)
  }
  return read
}

async function prune(options: PruneOptions): Promise<void> {
  const { all = false, dryRun = false, force = false } = options
  const wanted = readPruneFilters([
    ...options.filter,
    ...(options.until === undefined ? [] : [`until=${options.until}`]),
    ...options.label.map((label) => `label=${label}`),
  ])
  const door = openDoor(options)
  const collectGarbage = (isTrial: boolean) => {
    const body: PruneRequest = { ...wanted, all, dryRun: isTrial }
    return door.ask<PrunedRow>('POST', '/disk/prune', { body })
  }
  if (!dryRun && !force) {
    if (options.json) throw new CommandError('Give -f with --json: a question would be in its way.')
    mustBeTerminal()
    const would = await collectGarbage(true)
    told(would, true)
    if (would.freedBytes === 0) return
    if (!(await isSure('Are you sure?'))) return say('Nothing was removed.')
  }
  const pruned = await collectGarbage(dryRun)
  if (options.json) return printJson(pruned)
  told(pruned, dryRun)
}

function told({ images, freedBytes }: PrunedRow, isTrial: boolean): void {
  const verb = isTrial ? 'Would delete' : 'Deleted'
  for (const { digest, references } of images)
    say(`${verb}: ${digest}${references.length === 0 ? '' : ` (${references.join(', ')})`}`)
  say(`${isTrial ? 'Would free' : 'Freed'} ${bytes(freedBytes)}`)
}
