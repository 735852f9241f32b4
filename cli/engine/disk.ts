import { createInterface } from 'node:readline/promises'
import { type Command, InvalidArgumentError } from 'commander'
import type { PrunedRow, PruneRequest, UsageRow } from '../../platform/model/engine-door.ts'
import { say } from '../say.ts'
import { openDoor } from './door.ts'
import { command, duration, type EngineOptions, pair, printJson } from './options.ts'
import { ago, bytes, short, table } from './table.ts'

export function addDiskCommands(engine: Command): void {
  command(engine, 'df', 'what takes how much of the disk')
    .option('-v, --verbose', 'each image, container and volume')
    .action(df)
  command(engine, 'prune', 'remove images that nothing needs and that have no name')
    .option('-a, --all', 'also those with a name; never what an app runs or can be rolled back to')
    .option('-f, --force', 'do not ask first, which is done on a terminal only')
    .option('--filter <filter>', 'until=TIME or label=NAME=VALUE, as with Docker', pruneFilter, {})
    .option('--until <time>', 'only what was of no use for so long, such as 24h or 7d', duration)
    .option('--label <name=value>', 'only images with this label', pair())
    .option('--dry-run', 'say what would go')
    .action(prune)
}

async function df(options: EngineOptions & { verbose?: boolean }): Promise<void> {
  const usage = await openDoor(options).ask<UsageRow>('GET', '/disk')
  if (options.json) return printJson(usage)
  const { images, containers, volumes, disk } = usage
  const sum = (numbers: number[]) => numbers.reduce((all, each) => all + each, 0)
  const inUse = images.filter((image) => image.containers.length > 0).length
  say(
    table(
      ['WHAT', 'COUNT', 'IN USE', 'SIZE', 'RECLAIMABLE'],
      [
        [
          'Images',
          String(images.length),
          String(inUse),
          bytes(usage.imageBytes),
          bytes(usage.reclaimableBytes),
        ],
        [
          'Containers',
          String(containers.length),
          '',
          bytes(sum(containers.map(({ writableBytes, logBytes }) => writableBytes + logBytes))),
          '',
        ],
        ['Volumes', String(volumes.length), '', bytes(sum(volumes.map(({ sizeBytes }) => sizeBytes))), ''],
      ],
    ),
  )
  say(
    `\nDisk: ${bytes(disk.freeBytes)} of ${bytes(disk.totalBytes)} free (${disk.usedPercent.toFixed(0)} % used)`,
  )
  if (options.verbose) details(usage)
}

function details({ images, containers, volumes }: UsageRow): void {
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
  until?: number
  label?: Record<string, string>
  dryRun?: boolean
  force?: boolean
  filter: PruneFilter
}

interface PruneFilter {
  until?: number
  label?: Record<string, string>
}

function pruneFilter(text: string, all: PruneFilter): PruneFilter {
  const [, name, value = ''] = /^(until|label)=(.+)$/s.exec(text) ?? []
  if (name === 'until') return { ...all, until: duration(value) }
  if (name === 'label') return { ...all, label: pair()(value, all.label) }
  throw new InvalidArgumentError('It must be until=TIME, such as until=24h, or label=NAME=VALUE.')
}

async function prune(options: PruneOptions): Promise<void> {
  const { all = false, dryRun = false, force = false, filter } = options
  const until = options.until ?? filter.until ?? 0
  const labels = { ...filter.label, ...options.label }
  const door = openDoor(options)
  const collect = (isTrial: boolean) => {
    const body: PruneRequest = { all, unusedForMs: until, labels, dryRun: isTrial }
    return door.ask<PrunedRow>('POST', '/disk/prune', { body })
  }
  if (!dryRun && !force && !options.json && process.stdin.isTTY) {
    const would = await collect(true)
    told(would, true)
    if (would.freedBytes === 0 || !(await isSure())) return
  }
  const pruned = await collect(dryRun)
  if (options.json) return printJson(pruned)
  told(pruned, dryRun)
}

function told({ images, freedBytes }: PrunedRow, isTrial: boolean): void {
  const verb = isTrial ? 'Would delete' : 'Deleted'
  for (const { digest, references } of images)
    say(`${verb}: ${digest}${references.length === 0 ? '' : ` (${references.join(', ')})`}`)
  say(`${isTrial ? 'Would free' : 'Freed'} ${bytes(freedBytes)}`)
}

async function isSure(): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  const { promise: ended, resolve } = Promise.withResolvers<string>()
  // Ctrl-D and Ctrl-C are a no.
  lines.once('close', () => resolve(''))
  const answer = await Promise.race([lines.question('Are you sure? [y/N] '), ended])
  lines.close()
  return /^y(es)?$/i.test(answer.trim())
}
