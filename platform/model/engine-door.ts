/**
 * What the operator's command line and the engine of a host say to each other over the engine's door, a Unix socket
 * in the home folder that only root can open. HTTP; bodies are JSON. What goes on for a while answers with one JSON
 * document a line (application/x-ndjson), the last of which is `{result}` or `{error}`; archives are plain tar.
 *
 * Names of images, containers, networks and volumes are as the engine knows them: there are no teams here.
 */
import { z } from 'zod'

/** Below the home folder. */
export const engineSocket = 'run/engine.sock'

/** The engine's kinds of error, and `internal` for what nobody expected. */
export interface DoorError {
  kind: string
  /** A whole sentence. */
  message: string
}

/** One line of an answer that goes on for a while. */
export type DoorLine<Progress, Result> = { progress: Progress } | { result: Result } | { error: DoorError }

const name = z.string().min(1).max(1_024)

/** Sent to the registry that the reference names and nowhere else; never logged. */
const credentials = z.strictObject({ username: z.string().max(1_000), password: z.string().max(20_000) })

export const pullRequest = z.strictObject({
  reference: name,
  /** Such as linux/arm64; default the host's. */
  platform: z.string().max(100).optional(),
  credentials: credentials.optional(),
})
export type PullRequest = z.input<typeof pullRequest>

export const remoteNamesRequest = z.strictObject({ repository: name, credentials: credentials.optional() })
export type RemoteNamesRequest = z.input<typeof remoteNamesRequest>

export const pushRequest = z.strictObject({
  image: name,
  /** Default: the image's name itself. */
  to: name.optional(),
  credentials: credentials.optional(),
})
export type PushRequest = z.input<typeof pushRequest>

export const saveRequest = z.strictObject({
  images: z.array(name).min(1).max(1_000),
  format: z.enum(['docker', 'oci']).default('docker'),
  credentials: credentials.optional(),
})
export type SaveRequest = z.input<typeof saveRequest>

export interface PushLine {
  digest: string
  state: 'waiting' | 'uploading' | 'done' | 'exists' | 'mounted'
  doneBytes: number
  totalBytes: number
}

export interface PushedRow {
  reference: string
  digest: string
}

/** What the engine keeps on disk. */
export interface UsageRow {
  disk: { totalBytes: number; freeBytes: number; usedPercent: number }
  images: {
    digest: string
    references: string[]
    sizeBytes: number
    uniqueBytes: number
    sharedBytes: number
    containers: string[]
    usedAt: string
  }[]
  layers: { diffId: string; sizeBytes: number; images: number }[]
  containers: { id: string; image: string; writableBytes: number; logBytes: number }[]
  volumes: { name: string; sizeBytes: number }[]
  imageBytes: number
  reclaimableBytes: number
}

export const pruneRequest = z.strictObject({
  /** Also images with a name. */
  all: z.boolean().default(false),
  /** Only what was of no use for so long. */
  unusedForMs: z.number().int().min(0).default(0),
  /** Only what has all of these, and none of those; null is any value. */
  labels: z.record(z.string(), z.string().nullable()).default({}),
  withoutLabels: z.record(z.string(), z.string().nullable()).default({}),
  dryRun: z.boolean().default(false),
})
export type PruneRequest = z.input<typeof pruneRequest>

export interface PrunedRow {
  images: { digest: string; references: string[]; reason: string }[]
  layers: { diffId: string; sizeBytes: number }[]
  blobs: { digest: string; sizeBytes: number }[]
  freedBytes: number
}

export interface LayerLine {
  digest: string
  state: 'waiting' | 'downloading' | 'verifying' | 'unpacking' | 'done' | 'exists'
  doneBytes: number
  totalBytes: number
}

export interface ImageRow {
  digest: string
  references: string[]
  /** Compressed size of all layers. */
  sizeBytes: number
  createdAt: string | null
  labels: Record<string, string>
}

export interface RemovedRow {
  untagged: string[]
  /** The image's digest, when it is gone. */
  deleted: string | null
}

export const tagRequest = z.strictObject({ source: name, target: name })

export interface HistoryRow {
  createdAt: string | null
  createdBy: string
  comment: string
  layer: { diffId: string; sizeBytes: number } | null
}

const limits = z
  .strictObject({
    memoryBytes: z.number().int().positive(),
    swapBytes: z.number().int().min(0),
    cpuMillis: z.number().int().positive(),
    cpuWeight: z.number().int().positive(),
    pids: z.number().int().positive(),
    diskBytes: z.number().int().positive(),
  })
  .partial()

/** `berth engine run` and `create`. What is left out is as the image or the engine has it. */
export const runRequest = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_.-]{0,62}$/, 'must be 1–63 of a–z, 0–9, _, . and -, not beginning with a sign'),
  image: name,
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  hostname: z.string().max(63).optional(),
  labels: z.record(z.string(), z.string()).default({}),
  network: z.string().max(64).default('operator'),
  aliases: z.array(z.string()).default([]),
  limits: limits.default({}),
  healthCheck: z
    .union([
      z.literal('none'),
      z.strictObject({
        test: z.strictObject({ kind: z.literal('command'), command: z.array(z.string()) }),
        intervalMs: z.number().int().optional(),
        timeoutMs: z.number().int().optional(),
        retries: z.number().int().optional(),
        startPeriodMs: z.number().int().optional(),
      }),
    ])
    .optional(),
  ulimits: z
    .strictObject({
      openFiles: z.number().int(),
      processes: z.number().int(),
      coreBytes: z.number().int(),
      fileBytes: z.number().int(),
      stackBytes: z.number().int(),
      lockedBytes: z.number().int(),
    })
    .partial()
    .optional(),
  maxRestarts: z.number().int().optional(),
  log: z.strictObject({ maxBytes: z.number().int(), files: z.number().int() }).partial().optional(),
  stopSignal: z.string().optional(),
  stopGraceMs: z.number().int().min(0).optional(),
  restart: z.enum(['no', 'on-failure', 'always']).default('no'),
  entrypoint: z.array(z.string()).optional(),
  /** Of the image's entrypoint. */
  arguments: z.array(z.string()).optional(),
  user: z.string().max(256).optional(),
  workingDir: z.string().max(4_096).optional(),
  readOnlyRoot: z.boolean().optional(),
  init: z.boolean().optional(),
  /** It is removed when it has ended, whoever is there then. Not with a restart policy. */
  removeWhenEnded: z.boolean().default(false),
  /** Taken from the usual ones, with CAP_ before or not; ALL leaves none. */
  droppedCapabilities: z.array(z.string().max(64)).default([]),
  mounts: z
    .array(
      z.union([
        z.strictObject({
          kind: z.literal('volume'),
          volume: z.string().max(64),
          target: z.string().max(4_096),
          readOnly: z.boolean().optional(),
        }),
        z.strictObject({
          kind: z.literal('tmpfs'),
          target: z.string().max(4_096),
          sizeBytes: z.number().int().positive(),
        }),
      ]),
    )
    .default([]),
  ports: z
    .array(
      z.strictObject({
        containerPort: z.number().int(),
        hostPort: z.number().int(),
        protocol: z.enum(['tcp', 'udp']),
        hostAddress: z.string().max(64),
      }),
    )
    .default([]),
})
export type RunRequest = z.input<typeof runRequest>

/** What the engine says of the numbers is the engine's business. */
export const updateRequest = z.strictObject({
  limits: limits.optional(),
  restart: z.enum(['no', 'on-failure', 'always']).optional(),
})
export const renameRequest = z.strictObject({ name })
export type UpdateRequest = z.input<typeof updateRequest>

export interface ContainerRow {
  id: string
  /** What people call it: the id, until it is renamed. */
  name: string
  image: string
  status: string
  labels: Record<string, string>
  network: string
  address: string
  exitCode: number | null
  oomKilled: boolean
  restarts: number
  health: { status: string } | null
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
}

/** A container in a list: with what `ps` shows beside. */
export interface ListedRow extends ContainerRow {
  /** What it was made to run: its own command, or its image's. */
  command: string[]
  ports: { hostAddress: string; hostPort: number; containerPort: number; protocol: 'tcp' | 'udp' }[]
  /** Names of the volumes that it mounts. */
  volumes: string[]
}

/** Sums since the container's start; `at` says when. */
export interface StatsRow {
  id: string
  name: string
  at: string
  cpuNs: number
  memoryBytes: number
  pids: number
  receivedBytes: number
  sentBytes: number
  readBytes: number
  writtenBytes: number
  limits: { memoryBytes: number; cpuMillis: number; pids: number }
}

export interface ProcessRow {
  pid: number
  hostPid: number
  uid: number
  state: string
  cpuMs: number
  memoryBytes: number
  command: string[]
}

export interface LogRow {
  time: string
  stream: 'stdout' | 'stderr'
  text: string
  cursor: string
}

export interface EventRow {
  type: string
  at: string
  container: ContainerRow
}

export interface NetworkRow {
  name: string
  bridge: string
  subnet: string
  gateway: string
  egress: 'all' | 'none' | string[]
}

export const attachRequest = z.strictObject({
  container: name,
  aliases: z.array(z.string().max(63)).default([]),
})

export const volumeRequest = z.strictObject({
  name: z.string().max(64),
  sizeBytes: z.number().int().positive().optional(),
  labels: z.record(z.string(), z.string()).default({}),
})

export interface PrunedVolumeRow {
  name: string
  usedBytes: number
}

/** What is at a path in a container. */
export interface PathRow {
  kind: 'folder' | 'file' | 'link'
  name: string
}

export interface ChangeRow {
  kind: 'added' | 'modified' | 'deleted'
  path: string
}

export interface VolumeRow {
  name: string
  sizeBytes: number | null
  limitedBy: string
  labels: Record<string, string>
  createdAt: string
  usedBy: string[]
}

/** What an image says of itself; environment and labels are added to what is there. */
export const imageChanges = z.strictObject({
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  exposedPorts: z.array(z.number().int().min(1).max(65_535)).optional(),
  stopSignal: z.string().max(32).optional(),
  user: z.string().max(256).optional(),
  workingDir: z.string().max(4_096).optional(),
})
export type ImageChanges = z.infer<typeof imageChanges>

/** As the `request` of the address: the body is the archive. */
export const importRequest = z.strictObject({
  reference: name.optional(),
  comment: z.string().max(1_024).optional(),
  config: imageChanges.optional(),
})
export type ImportRequest = z.input<typeof importRequest>

export const commitRequest = z.strictObject({
  reference: name.optional(),
  author: z.string().max(256).optional(),
  comment: z.string().max(1_024).optional(),
  pause: z.boolean().default(true),
})

export const networkRequest = z.strictObject({
  name: z.string().max(64),
  egress: z.union([z.enum(['all', 'none']), z.array(z.string().max(32))]).default('all'),
})
