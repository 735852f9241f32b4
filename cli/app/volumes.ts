/** `berth volumes`: what an app keeps, and snapshots of it. */
import type { CreateVolumeInput, Volume, VolumeSnapshot } from '../../platform/model/volumes.ts'
import type { LoginOptions } from '../client.ts'
import { ago, bytes, table } from '../engine/table.ts'
import { CommandError, say } from '../say.ts'
import { type ListOptions, named, numberOf, type OpenApp, openApp } from './open.ts'

const gibibyte = 2 ** 30

export async function listVolumes(name: string, options: ListOptions): Promise<void> {
  const opened = await openApp(name, options)
  const volumes = await volumesOf(opened)
  if (options.json) return say(JSON.stringify(volumes, null, 2))
  if (volumes.length === 0) return say(`${opened.path} has no volumes.`)
  say(volumeTable(volumes))
  const snapshots = snapshotTable(volumes)
  if (snapshots !== null) say(`\n${snapshots}`)
}

export function volumeTable(volumes: readonly Volume[]): string {
  return table(
    ['NAME', 'PATH', 'SIZE', 'USED', 'STATE'],
    volumes.map(({ name, mountPath, sizeBytes, usedBytes, problem, purgeAt, task, isMade }) => [
      ...[name, mountPath, bytes(sizeBytes), usedBytes === null ? '' : bytes(usedBytes)],
      problem ??
        (purgeAt !== null
          ? `deleted, gone on ${purgeAt.slice(0, 10)}`
          : (task ?? (isMade ? 'ready' : 'is being made'))),
    ]),
  )
}

/** Null: there are none. */
export function snapshotTable(volumes: readonly Volume[]): string | null {
  const rows = volumes.flatMap(({ name, snapshots }) =>
    snapshots.map(({ id, status, message, allocatedBytes, note, createdAt }) => [
      ...[id, name, allocatedBytes === null ? '' : bytes(allocatedBytes), message ?? status],
      ...[ago(createdAt), note],
    ]),
  )
  return rows.length === 0 ? null : table(['SNAPSHOT', 'OF', 'SIZE', 'STATE', 'TAKEN', 'NOTE'], rows)
}

export async function createVolume(
  name: string,
  volume: string,
  { path: mountPath, size, ...login }: LoginOptions & { path: string; size: string },
): Promise<void> {
  const sizeBytes = Math.round(numberOf('size', size) * 1_024) * (gibibyte / 1_024)
  const input: CreateVolumeInput = { name: volume, mountPath, sizeBytes }
  const { client, app, path } = await openApp(name, login)
  await client.post<Volume>(`/apps/${app.id}/volumes`, input)
  say(`${path} finds the volume ${volume} at ${mountPath}, from its next deployment on.`)
}

export async function deleteVolume(name: string, volume: string, options: LoginOptions): Promise<void> {
  const opened = await openApp(name, options)
  const { id } = await volumeOf(opened, volume)
  await opened.client.change('DELETE', `/volumes/${id}`)
  const { purgeAt } = await opened.client.get<Volume>(`/volumes/${id}`)
  say(
    `${volume} is deleted. Until ${purgeAt?.slice(0, 10) ?? 'then'} that can be undone: berth volumes undelete.`,
  )
}

export async function undeleteVolume(name: string, volume: string, options: LoginOptions): Promise<void> {
  const opened = await openApp(name, options)
  const deleted = (await volumesOf(opened)).filter(({ deletedAt }) => deletedAt !== null)
  const { id } = named('deleted volume', deleted, volume)
  await opened.client.post<Volume>(`/volumes/${id}/undelete`)
  say(`${volume} is there again, from the next deployment on.`)
}

export async function takeSnapshot(
  name: string,
  volume: string,
  { note, ...login }: LoginOptions & { note?: string },
): Promise<void> {
  const opened = await openApp(name, login)
  const { id } = await volumeOf(opened, volume)
  const taken = await opened.client.post<VolumeSnapshot>(
    `/volumes/${id}/snapshots`,
    note === undefined ? {} : { note },
  )
  say(`The snapshot ${taken.id} of ${volume} is being taken.`)
}

export async function restoreSnapshot(name: string, id: string, options: LoginOptions): Promise<void> {
  const opened = await openApp(name, options)
  const volume = (await volumesOf(opened)).find(({ snapshots }) => snapshots.some((each) => each.id === id))
  if (volume === undefined)
    throw new CommandError(`${opened.path} has no snapshot ${id}: berth volumes list names them.`)
  await opened.client.post<Volume>(`/volume-snapshots/${encodeURIComponent(id)}/restore`)
  say(`${volume.name} is being put back. What is in it now is kept as a snapshot.`)
}

/** One that is not deleted. */
async function volumeOf(opened: OpenApp, name: string): Promise<Volume> {
  return named(
    'volume',
    (await volumesOf(opened)).filter(({ deletedAt }) => deletedAt === null),
    name,
  )
}

async function volumesOf({ client, app }: OpenApp): Promise<Volume[]> {
  return (await client.get<{ data: Volume[] }>(`/apps/${app.id}/volumes`)).data
}
