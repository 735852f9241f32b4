import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RegistryCollection } from '../../platform/model/registry-collection.ts'
import type { Platform } from '../../platform/open.ts'
import { pushLastsMs } from '../../platform/registry/grant.ts'
import { grantedSince, noteLooseBytes, whileNobodyPushes } from '../../platform/worker/registry-garbage.ts'
import {
  blobSize,
  exists,
  linkFolder,
  listBlobs,
  listRepositoryNames,
  listUploads,
  type RegistryFiles,
  registryFiles,
  type StoredBlob,
} from './layout.ts'
import { heldAnywhere, survey, unneededLayers } from './survey.ts'
import { listAside, moveAside, putBack, removeForGood } from './trash.ts'

/** What counts as long ago. */
export interface CollectTimes {
  /** A token to push lasts five minutes. Who has one may rely on any layer that his repository holds. */
  pushLastsMs: number
  /** A blob that came just now is about to be held. */
  blobRestsMs: number
  /** An upload that nothing came for in so long is not under way. */
  uploadQuietMs: number
  /** It could still be resumed for so long. */
  uploadKeptMs: number
  /** So long nothing may have come to hold what was moved aside. The registry needs milliseconds for it. */
  settleMs: number
}

const usual: CollectTimes = {
  pushLastsMs,
  blobRestsMs: 15 * 60_000,
  uploadQuietMs: 60 * 60_000,
  uploadKeptMs: 24 * 60 * 60_000,
  settleMs: 30_000,
}
/** So many are moved aside before it is looked at who may need them. */
const atOnce = 100

export interface CollectOptions {
  signal: AbortSignal
  times?: Partial<CollectTimes>
}

export type Collected = Omit<RegistryCollection, 'startedAt' | 'finishedAt' | 'problem'>

/**
 * Frees what no image needs, while the registry runs. (Its own `garbage-collect` corrupts what is pushed meanwhile.)
 * Every manifest that was not deleted keeps what it names, so the platforms of an index stay. A repository that
 * somebody may push to keeps all its layers; a blob that no repository holds is moved aside, and removed when it stayed
 * unheld: what a killed collection left aside, the next one puts back or removes. Null where there is no registry.
 */
export async function collectRegistry(
  platform: Platform,
  options: CollectOptions,
): Promise<Collected | null> {
  const files = registryFiles(platform.config.home)
  if (!(await exists(join(files.root, 'repositories')))) return null
  const run: Run = { platform, files, signal: options.signal, times: { ...usual, ...options.times } }
  await putBackHeld(files, run.signal)
  const uploads = await removeOldUploads(run)
  const heldBack = await unlinkLayers(run)
  await moveUnheldAside(run)
  await sleep(Math.min(1_000, run.times.settleMs), undefined, { signal: run.signal })
  await putBackHeld(files, run.signal)
  await sleep(run.times.settleMs, undefined, { signal: run.signal })
  const removed = await removeUnheld(run)
  await noteLoose(run)
  return {
    freedBytes: removed.sizeBytes + uploads.sizeBytes,
    blobCount: removed.count,
    uploadCount: uploads.count,
    storedBytes: await storedBytes(files),
    heldBack,
  }
}

interface Run {
  platform: Platform
  files: RegistryFiles
  signal: AbortSignal
  times: CollectTimes
}

interface Freed {
  count: number
  sizeBytes: number
}

async function removeOldUploads({ files, times }: Run): Promise<Freed> {
  const freed = { count: 0, sizeBytes: 0 }
  for (const name of await listRepositoryNames(files))
    for (const upload of await listUploads(files, name)) {
      if (upload.touchedAt > Date.now() - times.uploadKeptMs) continue
      await rm(upload.folder, { recursive: true, force: true })
      freed.count += 1
      freed.sizeBytes += upload.sizeBytes
    }
  return freed
}

/** From each repository the layers that none of its manifests names; answers how many have to wait for a push. */
async function unlinkLayers({ platform, files, signal, times }: Run): Promise<number> {
  const since = new Date(Date.now() - times.pushLastsMs)
  let heldBack = 0
  for (const repository of await survey(files, signal)) {
    signal.throwIfAborted()
    const layers = unneededLayers(repository)
    if (layers.length === 0) continue
    const { name } = repository
    let isQuiet = true
    const wasDone = await whileNobodyPushes(platform, name, since, async () => {
      isQuiet = !(await isUploadedTo(files, name, times.uploadQuietMs))
      if (!isQuiet) return
      for (const digest of layers)
        await rm(linkFolder(files, name, '_layers', digest), { recursive: true, force: true })
    })
    if (!(wasDone && isQuiet)) heldBack += 1
  }
  return heldBack
}

async function isUploadedTo(files: RegistryFiles, name: string, quietMs: number): Promise<boolean> {
  return (await listUploads(files, name)).some(({ touchedAt }) => touchedAt > Date.now() - quietMs)
}

async function moveUnheldAside(run: Run): Promise<void> {
  const { files, signal, times } = run
  const held = await heldAnywhere(files, signal)
  let batch: StoredBlob[] = []
  for await (const blob of listBlobs(files)) {
    if (held.has(blob.digest) || blob.storedAt > Date.now() - times.blobRestsMs) continue
    batch.push(blob)
    if (batch.length < atOnce) continue
    await moveBatchAside(run, batch)
    batch = []
  }
  await moveBatchAside(run, batch)
}

/**
 * The registry keeps an upload's file until the blob that it found already there is linked: with one of the same size
 * under way, before or after, or a link that came meanwhile, the blob stays.
 */
async function moveBatchAside({ platform, files, signal, times }: Run, batch: StoredBlob[]): Promise<void> {
  signal.throwIfAborted()
  if (batch.length === 0) return
  const names = await listRepositoryNames(files)
  const before = await uploadSizes(files, names)
  const moved = batch.filter(({ sizeBytes }) => !before.has(sizeBytes))
  const granted = await grantedSince(platform, new Date(Date.now() - times.pushLastsMs))
  for (const { digest } of moved) await moveAside(files, digest)
  const after = await uploadSizes(files, names)
  for (const { digest, sizeBytes } of moved)
    if (after.has(sizeBytes) || (await isHeldBy(files, granted, digest))) await putBack(files, digest)
}

async function uploadSizes(files: RegistryFiles, names: string[]): Promise<Set<number>> {
  const sizes = new Set<number>()
  for (const name of names) for (const { sizeBytes } of await listUploads(files, name)) sizes.add(sizeBytes)
  return sizes
}

async function isHeldBy(files: RegistryFiles, names: string[], digest: string): Promise<boolean> {
  for (const name of names)
    for (const kind of ['_layers', '_manifests/revisions'] as const)
      if (await exists(join(linkFolder(files, name, kind, digest), 'link'))) return true
  return false
}

/** What is aside and held after all goes back: also after a collection that was killed. */
export async function putBackHeld(files: RegistryFiles, signal: AbortSignal): Promise<void> {
  const aside = await listAside(files)
  if (aside.length === 0) return
  const held = await heldAnywhere(files, signal)
  for (const digest of aside) if (held.has(digest)) await putBack(files, digest)
}

async function removeUnheld({ files, signal }: Run): Promise<Freed> {
  await putBackHeld(files, signal)
  const freed = { count: 0, sizeBytes: 0 }
  for (const digest of await listAside(files)) {
    freed.count += 1
    freed.sizeBytes += await removeForGood(files, digest)
  }
  return freed
}

/** What each repository takes beside its images. */
async function noteLoose({ platform, files, signal }: Run): Promise<void> {
  for (const repository of await survey(files, signal)) {
    const uploads = repository.uploads.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const layers = unneededLayers(repository).map((digest) => blobSize(files, digest))
    const layerBytes = (await Promise.all(layers)).reduce((sum, size) => sum + size, 0)
    await noteLooseBytes(platform, repository.name, uploads + layerBytes)
  }
}

async function storedBytes(files: RegistryFiles): Promise<number> {
  let sum = 0
  for await (const { sizeBytes } of listBlobs(files)) sum += sizeBytes
  return sum
}
