import { type Command, Option } from 'commander'
import type { EventRow } from '../../platform/model/engine-door.ts'
import { CommandError, say } from '../say.ts'
import { type Door, openDoor, orWithout } from './door.ts'
import { familiarContainer, familiarImage, type InspectedContainer, type InspectedImage } from './familiar.ts'
import { type Filter, filter, hasLabel, passes, withDigests } from './filter.ts'
import { command, type EngineOptions, interruptible, moment, printJson } from './options.ts'
import { short } from './table.ts'
import { template } from './template.ts'
import { Familiar } from './template-values.ts'

export function addSystemCommands(engine: Command): void {
  command(engine, 'info', 'the host as the engine sees it').action(async (options: EngineOptions) =>
    printJson(await openDoor(options).ask('GET', '/info')),
  )
  command(engine, 'inspect', 'everything that is known of containers, images, networks or volumes, as JSON')
    .argument('<name...>', 'containers, images, networks or volumes')
    .option(
      '-f, --format <template>',
      'such as {{.spec.limits.memoryBytes}}, {{.State.Status}} or {{.Config.Env}}',
    )
    .addOption(
      new Option('--type <kind>', 'only one of this kind').choices([
        'container',
        'image',
        'network',
        'volume',
      ]),
    )
    .action(inspect)
  command(engine, 'events', 'what happens, as it happens')
    .option('--since <time>', 'also what happened since, such as 15m or 2026-01-31T12:00:00Z', moment)
    .option('--until <time>', 'end then', moment)
    .option('-f, --filter <key=value>', `only of this ${eventKeys.join(', ')}`, filter(eventKeys))
    .option('--format <template>', 'such as {{.Time}} {{.Action}} {{.Actor.Attributes.name}}, or json')
    .action(showEvents)
}

const eventKeys = ['container', 'event', 'image', 'label', 'type'] as const

/** What Docker calls each type of event. */
const dockersNames: Record<string, string> = {
  ...{ created: 'create', started: 'start', paused: 'pause', resumed: 'unpause', renamed: 'rename' },
  ...{ updated: 'update', health: 'health_status', exited: 'die', removed: 'destroy' },
}

interface EventsOptions extends EngineOptions {
  since?: string
  until?: string
  filter?: Filter[]
  format?: string
}

async function showEvents(options: EventsOptions): Promise<void> {
  const { since, until, format } = options
  const door = openDoor(options)
  const filters = await withDigests(door, options.filter ?? [], 'image')
  const show = format === undefined || format === 'json' ? null : template(format)
  const asLine = ({ type, at, container }: EventRow) =>
    `${at} container ${type} ${container.name} (image ${container.image})`
  await interruptible(async (signal) => {
    try {
      const query = { since, until }
      for await (const event of door.lines<EventRow>('GET', '/events', { query, signal })) {
        if (!passes(filters, (each) => isOf(each, event))) continue
        if (options.json || format === 'json') say(JSON.stringify(event))
        else say(show === null ? asLine(event) : show(familiarEvent(event)))
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  })
}

function familiarEvent(event: EventRow): Familiar {
  const { type, at, container } = event
  const { id, name, image, exitCode, labels } = container
  const attributes = { ...labels, name, image, ...(exitCode === null ? {} : { exitCode: String(exitCode) }) }
  return new Familiar(event, {
    ...{ Type: 'container', Action: dockersNames[type] ?? type, Status: dockersNames[type] ?? type, ID: id },
    ...{ Actor: { ID: id, Attributes: attributes }, Time: at, TimeNano: String(Date.parse(at) * 1_000_000) },
  })
}

function isOf({ key, value }: Filter, { type, container }: EventRow): boolean {
  if (key === 'container') return container.name === value || container.id === value
  if (key === 'image') return short(container.image).startsWith(short(value))
  if (key === 'label') return hasLabel(container.labels, value)
  if (key === 'type') return value === 'container'
  return type === value || dockersNames[type] === value
}

interface InspectOptions extends EngineOptions {
  format?: string
  type?: Kind
}

type Kind = 'container' | 'image' | 'network' | 'volume'
type Found = { container: InspectedContainer } | { image: InspectedImage } | { other: object }

async function inspect(names: string[], options: InspectOptions): Promise<void> {
  const door = openDoor(options)
  const { format } = options
  const show = format === undefined || format === 'json' ? null : template(format)
  const found: Found[] = []
  for (const name of names) found.push(await look(door, name, options.type))
  if (show === null) {
    const plain = found.flatMap((each) => Object.values(each))
    return format === 'json' ? say(JSON.stringify(plain)) : printJson(plain)
  }
  for (const each of found) {
    if ('container' in each) {
      say(show(familiarContainer(each.container)))
      continue
    }
    if ('other' in each) {
      say(show(each.other))
      continue
    }
    const query = { name: each.image.digest }
    const { config } = await door.ask<{ config: string }>('GET', '/images/documents', { query })
    say(show(familiarImage(each.image, JSON.parse(config))))
  }
}

/** As Docker looks for a name: among containers, images, networks, then volumes. */
async function look(door: Door, name: string, type: InspectOptions['type']): Promise<Found> {
  const path = encodeURIComponent(name)
  const looks: Record<Kind, () => Promise<Found>> = {
    container: async () => ({ container: await door.ask('GET', `/containers/${path}`) }),
    image: async () => ({ image: await door.ask('GET', '/images/inspect', { query: { name } }) }),
    network: async () => ({ other: await door.ask('GET', `/networks/${path}`) }),
    volume: async () => ({ other: await door.ask('GET', `/volumes/${path}`) }),
  }
  if (type !== undefined) return looks[type]()
  const among = [looks.container, looks.image, looks.network, looks.volume]
  const nothing = () => Promise.reject(new CommandError(`There is nothing here that is called ${name}.`))
  const search = ([first, ...others]: typeof among): Promise<Found> =>
    first === undefined ? nothing() : orWithout(first(), () => search(others))
  return search(among)
}
