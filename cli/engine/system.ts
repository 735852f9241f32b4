import { type Command, Option } from 'commander'
import type { EventRow } from '../../platform/model/engine-door.ts'
import { say } from '../say.ts'
import { type Door, openDoor, orWithout } from './door.ts'
import { familiarContainer, familiarImage, type InspectedContainer, type InspectedImage } from './familiar.ts'
import { type Filter, filter, hasLabel, passes } from './filter.ts'
import { command, type EngineOptions, interruptible, moment, printJson } from './options.ts'
import { short } from './table.ts'
import { template } from './template.ts'

export function addSystemCommands(engine: Command): void {
  command(engine, 'info', 'the host as the engine sees it').action(async (options: EngineOptions) =>
    printJson(await openDoor(options).ask('GET', '/info')),
  )
  command(engine, 'inspect', 'everything that is known of containers or images, as JSON')
    .argument('<name...>', 'containers or images')
    .option(
      '-f, --format <template>',
      'such as {{.spec.limits.memoryBytes}}, {{.State.Status}} or {{.Config.Env}}',
    )
    .addOption(new Option('--type <kind>', 'only one of this kind').choices(['container', 'image']))
    .action(inspect)
  command(engine, 'events', 'what happens, as it happens')
    .option('--since <time>', 'also what happened since, such as 15m or 2026-01-31T12:00:00Z', moment)
    .option('--until <time>', 'end then', moment)
    .option('-f, --filter <key=value>', `only of this ${eventKeys.join(', ')}`, filter(eventKeys))
    .action(showEvents)
}

const eventKeys = ['container', 'event', 'image', 'label'] as const

async function showEvents(
  options: EngineOptions & { since?: string; until?: string; filter?: Filter[] },
): Promise<void> {
  const { since, until, filter: filters = [] } = options
  await interruptible(async (signal) => {
    try {
      const query = { since, until }
      for await (const event of openDoor(options).lines<EventRow>('GET', '/events', { query, signal })) {
        const { type, at, container } = event
        if (!passes(filters, (each) => isOf(each, event))) continue
        say(
          options.json
            ? JSON.stringify(event)
            : `${at} container ${type} ${container.name} (image ${container.image})`,
        )
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  })
}

function isOf({ key, value }: Filter, { type, container }: EventRow): boolean {
  if (key === 'container') return container.name === value || container.id === value
  if (key === 'image') return short(container.image).startsWith(short(value))
  if (key === 'label') return hasLabel(container.labels, value)
  return type === value
}

interface InspectOptions extends EngineOptions {
  format?: string
  type?: 'container' | 'image'
}

type Found = { container: InspectedContainer } | { image: InspectedImage }

async function inspect(names: string[], options: InspectOptions): Promise<void> {
  const door = openDoor(options)
  const { format } = options
  const show = format === undefined || format === 'json' ? null : template(format)
  const found: Found[] = []
  for (const name of names) found.push(await look(door, name, options.type))
  if (show === null) {
    const plain = found.map((each) => ('image' in each ? each.image : each.container))
    return format === 'json' ? say(JSON.stringify(plain)) : printJson(plain)
  }
  for (const each of found) {
    if ('container' in each) {
      say(show(familiarContainer(each.container)))
      continue
    }
    const query = { name: each.image.digest }
    const { config } = await door.ask<{ config: string }>('GET', '/images/documents', { query })
    say(show(familiarImage(each.image, JSON.parse(config))))
  }
}

async function look(door: Door, name: string, type: InspectOptions['type']): Promise<Found> {
  const container = async (): Promise<Found> => ({
    container: await door.ask('GET', `/containers/${encodeURIComponent(name)}`),
  })
  const image = async (): Promise<Found> => ({
    image: await door.ask('GET', '/images/inspect', { query: { name } }),
  })
  if (type !== undefined) return type === 'image' ? image() : container()
  return orWithout(container(), image)
}
