/** `berth registry`: what Berth's own registry takes on disk, and freeing what no image needs. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RegistryCollection } from '../../platform/model/registry-collection.ts'
import { type Api, operatorApi } from '../api.ts'
import { bytes } from '../engine/table.ts'
import { CommandError, keepOutputForPrograms, say, stage } from '../say.ts'
import { type HomeOptions, homeFolder, mustHaveSettings } from '../settings.ts'

export interface RegistryOptions extends HomeOptions {
  json?: boolean
  detach?: boolean
}

const path = '/admin/registry/collection'
const doneWithinMs = 30 * 60_000

/** `berth registry status`: the last collection, or the one under way. */
export async function registryStatus(options: RegistryOptions): Promise<void> {
  tell(await lastCollection(apiOf(options)), options)
}

/**
 * `berth registry collect`: what the worker does every hour, now. Waits for the end unless told to `detach`; a collection
 * that is under way is waited for as well. Throws CommandError when it did not come to its end.
 */
export async function collectRegistry(options: RegistryOptions): Promise<void> {
  if (options.json) keepOutputForPrograms()
  const api = apiOf(options)
  const before = await lastCollection(api)
  await api.post(path)
  if (options.detach) return say('It was asked for. `berth registry status` says how it goes.')
  const done = await stage('collecting what no image needs', () => untilDone(api, before))
  tell(done, options)
  if (done.problem !== null) throw new CommandError(`The collection did not come to its end: ${done.problem}`)
}

async function untilDone(api: Api, before: RegistryCollection | null): Promise<RegistryCollection> {
  const isUnderWay = before !== null && before.finishedAt === null
  const deadline = Date.now() + doneWithinMs
  for (;;) {
    const last = await lastCollection(api)
    const isAsked = last !== null && (isUnderWay || last.startedAt !== before?.startedAt)
    if (isAsked && last.finishedAt !== null) return last
    if (Date.now() > deadline)
      throw new CommandError(
        'The collection has not ended within half an hour. `berth logs worker` may say why.',
      )
    await sleep(500)
  }
}

function tell(last: RegistryCollection | null, { json }: RegistryOptions): void {
  if (json) process.stdout.write(`${JSON.stringify(last)}\n`)
  else say(describeCollection(last))
}

/** As a person reads it. */
export function describeCollection(last: RegistryCollection | null): string {
  if (last === null) return 'Nothing was collected yet. The worker does so every hour.'
  const { startedAt, finishedAt, freedBytes, blobCount, uploadCount, storedBytes, heldBack, problem } = last
  if (finishedAt === null) return `A collection is under way since ${startedAt}.`
  const lines = [
    `Collected at ${finishedAt}: ${bytes(freedBytes)} freed, ${blobCount} files of images and ${uploadCount} broken uploads.`,
    `All teams' images take ${bytes(storedBytes)} on disk.`,
  ]
  if (heldBack > 0)
    lines.push(
      `${heldBack} repositories may be pushed to still: what they don't need goes when that is over.`,
    )
  if (problem !== null) lines.push(`It did not come to its end: ${problem}`)
  return lines.join('\n')
}

function apiOf(options: RegistryOptions): Api {
  const home = homeFolder(options)
  return operatorApi(home, mustHaveSettings(home))
}

async function lastCollection(api: Api): Promise<RegistryCollection | null> {
  return (await api.get<{ last: RegistryCollection | null }>(path)).last
}
