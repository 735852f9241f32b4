/** What is done with networks and volumes alike: with each that is named. */
import { say } from '../say.ts'
import { openDoor, orWithout } from './door.ts'
import { type EngineOptions, forEach, printJson } from './options.ts'
import { template } from './template.ts'

export async function inspectEach(
  names: string[],
  path: string,
  options: EngineOptions & { format?: string },
): Promise<void> {
  const door = openDoor(options)
  const { format } = options
  const show = format === undefined || format === 'json' ? null : template(format)
  const found: unknown[] = []
  for (const name of names) found.push(await door.ask('GET', `${path}/${encodeURIComponent(name)}`))
  if (show !== null) for (const each of found) say(show(each))
  else if (format === 'json') say(JSON.stringify(found))
  else printJson(found)
}

export async function removeEach(
  names: string[],
  path: string,
  options: EngineOptions & { force?: boolean },
): Promise<void> {
  const door = openDoor(options)
  await forEach(names, async (name) => {
    const removed = door.ask<unknown>('DELETE', `${path}/${encodeURIComponent(name)}`)
    await (options.force ? orWithout(removed, async () => null) : removed)
    return name
  })
}
