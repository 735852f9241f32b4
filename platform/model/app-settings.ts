import { z } from 'zod'
import { buildSettingsSchema } from './builds.ts'
import { followSchema } from './follow.ts'
import { portSchema, portsSchema } from './ports.ts'

/** Characters of a reference are judged again, strictly, by the engine; this keeps nonsense out of the database. */
export const imageReferenceSchema = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(512, 'must be at most 512 characters')
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/,
    'must be an image reference such as nginx:1.27 or ghcr.io/org/app:tag',
  )

function milliseconds(least: number, most: number) {
  const range = `must be ${least}–${most} ms`
  return z.number().int().min(least, range).max(most, range)
}

/** A program and its arguments, as they are run: no shell takes part unless it is named. */
export const commandSchema = z.array(z.string().min(1).max(4096)).max(128)

export const healthCheckSchema = z.strictObject({
  /** Path that must answer; with neither a path nor a command it is enough that the port accepts connections. */
  path: z
    .string()
    .max(1024)
    .regex(/^\/[\x21-\x7e]*$/, 'must start with / and have no spaces')
    .nullable()
    .default(null),
  /** What the path must answer; null: anything from 200 to 399. */
  expectedStatus: z
    .number()
    .int()
    .min(100, 'must be 100–599')
    .max(599, 'must be 100–599')
    .nullable()
    .default(null),
  /** Run in the container, must exit with 0, and the port must accept connections. */
  command: commandSchema.nullable().default(null),
  intervalMs: milliseconds(100, 60_000).default(500),
  timeoutMs: milliseconds(100, 60_000).default(2_000),
  /** How many checks in a row may fail, after the first good one, before the container counts as unhealthy. */
  retries: z.number().int().min(0, 'must be 0–20').max(20, 'must be 0–20').default(1),
  /** How long a container may take until it first answers. */
  startPeriodMs: milliseconds(1_000, 900_000).default(60_000),
  /** How long it must go on answering before it gets traffic and is called live. */
  observationMs: milliseconds(0, 300_000).default(2_000),
})

export const releaseSchema = z.strictObject({
  /** Runs once, before anything of a deployment starts, in a container of its own: migrations, for example. */
  command: commandSchema.nullable().default(null),
  timeoutMs: z.number().int().min(1_000).max(3_600_000, 'must be at most an hour').default(600_000),
})

export const limitsSchema = z.strictObject({
  memoryBytes: z
    .number()
    .int()
    .min(8 * 2 ** 20, 'must be at least 8 MiB')
    .max(2 ** 40)
    .default(512 * 2 ** 20),
  /** Thousandths of a processor: 500 is half of one. */
  cpuMillis: z.number().int().min(10).max(256_000).default(1_000),
  pids: z.number().int().min(4, 'must be 4–32768').max(32_768, 'must be 4–32768').default(512),
})

/** A name that the process's containers have in logs and host names; `web` is the one that answers requests. */
export const processNameSchema = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,30}$/,
    'must be 1–31 lower-case letters, digits and hyphens, and start with a letter',
  )
  .refine(
    (name) => name !== 'web',
    'web is the process that answers requests: its settings are those of the app',
  )

const { intervalMs, timeoutMs, retries, startPeriodMs, observationMs } = healthCheckSchema.shape

/** Of a process that listens on no port: that it goes on running is all that is asked, unless a command asks more. */
export const processHealthCheckSchema = z.strictObject({
  /** Run in the container, must exit with 0. */
  command: commandSchema.min(1, 'must not be empty').nullable().default(null),
  ...{ intervalMs, timeoutMs, retries, startPeriodMs, observationMs },
})

/** What runs beside `web` from the same image: no port leads to it. */
export const processSchema = z
  .strictObject({
    /** Program and arguments, after the image's own entrypoint if it has one, or after the one that is given here. */
    command: commandSchema.default([]),
    /** Replaces the image's. */
    entrypoint: commandSchema.min(1, 'must not be empty').nullable().default(null),
    /** 0: it is there and does not run. */
    replicas: z.number().int().min(0, 'must be 0–20').max(20, 'must be 0–20').default(1),
    limits: limitsSchema.default(limitsSchema.parse({})),
    healthCheck: processHealthCheckSchema.default(processHealthCheckSchema.parse({})),
    /** How long it may take to end after its stop signal; null: as long as the app's containers may. */
    stopGraceMs: milliseconds(0, 600_000).nullable().default(null),
  })
  .refine(({ command, entrypoint }) => command.length > 0 || entrypoint !== null, {
    path: ['command'],
    message: 'must not be empty',
  })

/** So many fit on a page, and in a host's plans. */
export const mostProcesses = 10

export const processesSchema = z
  .record(processNameSchema, processSchema)
  .refine((processes) => Object.keys(processes).length <= mostProcesses, {
    message: `must be at most ${mostProcesses} processes beside web`,
  })

/** How many deployments of an app are kept to go back to, where it does not say. */
export const usuallyKept = 10

/** What the next deployment of an app will run. */
export const appSettingsSchema = z.strictObject({
  image: imageReferenceSchema,
  /** Its image is made of source that is uploaded; null: it is pushed or comes from elsewhere. */
  build: buildSettingsSchema.nullable().default(null),
  /** What is pushed to the image's repository is deployed by itself; null: it is not. */
  follow: followSchema.nullable().default(null),
  /** Port that the app listens on; null: found by what the container really listens on. */
  port: portSchema.nullable().default(null),
  /** Whether names lead to it over HTTP. One that is not public, and has no port and no path to be asked by, need only go on running. */
  isPublic: z.boolean().default(true),
  command: commandSchema.nullable().default(null),
  release: releaseSchema.default(releaseSchema.parse({})),
  replicas: z.number().int().min(1).max(20).default(1),
  limits: limitsSchema.default(limitsSchema.parse({})),
  healthCheck: healthCheckSchema.default(healthCheckSchema.parse({})),
  /** What else runs from its image, by name: platform/model/processes.ts. What is above is about `web`. */
  processes: processesSchema.default({}),
  /** Ports of the host that lead to its processes, beside HTTP: platform/ports/ports.ts changes them. */
  ports: portsSchema.default({}),
  /** When a live deployment crashes in a loop, go back, once, to what was live before. */
  rollbackOnCrash: z.boolean().default(false),
  /** So many earlier deployments can be gone back to at once: their images are kept. It holds from now on, for all of them. */
  keptDeployments: z.number().int().min(1, 'must be 1–100').max(100, 'must be 1–100').default(usuallyKept),
  /** How long an old container may finish open requests, and a stopped one may take to end. */
  stopGraceMs: milliseconds(0, 600_000).default(10_000),
})

export type AppSettings = z.infer<typeof appSettingsSchema>
export type AppSettingsInput = z.input<typeof appSettingsSchema>
export type HealthCheck = z.infer<typeof healthCheckSchema>
export type ProcessSettings = z.infer<typeof processSchema>
export type ProcessSettingsInput = z.input<typeof processSchema>
export type Limits = z.infer<typeof limitsSchema>
