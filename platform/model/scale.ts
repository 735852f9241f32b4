/** How large an app runs. Its live deployment has a size of its own, which may change while it runs. */
import { z } from 'zod'
import { type AppSettings, limitsSchema, processNameSchema } from './app-settings.ts'
import { web } from './processes.ts'

export const processSizeSchema = z.object({
  replicas: z.number().int(),
  /** Of each replica. */
  memoryBytes: z.number().int(),
  /** Of each replica, in thousandths of a processor. */
  cpuMillis: z.number().int(),
})

/** Of an app: that of `web`, and those of its other processes by name. */
export const sizeSchema = processSizeSchema.extend({
  processes: z.record(z.string(), processSizeSchema).default({}),
})

export type ProcessSize = z.infer<typeof processSizeSchema>
export type Size = z.infer<typeof sizeSchema>

/** Only what is given changes. */
export const scaleAppSchema = z
  .strictObject({
    /** Which of its processes. */
    process: z.union([z.literal(web), processNameSchema]).default(web),
    /** 0 for none, of every process but `web`. */
    replicas: z.number().int().min(0, 'must be 0–20').max(20, 'must be 0–20').optional(),
    memoryBytes: limitsSchema.shape.memoryBytes.removeDefault().optional(),
    cpuMillis: limitsSchema.shape.cpuMillis.removeDefault().optional(),
  })
  .refine(({ process: _, ...given }) => Object.values(given).some((value) => value !== undefined), {
    message: 'needs at least one of replicas, memoryBytes and cpuMillis',
  })
  .refine(({ process, replicas }) => process !== web || replicas !== 0, {
    path: ['replicas'],
    message: 'must be at least 1 of web: stop the app if nothing should answer',
  })

export type ScaleAppInput = z.input<typeof scaleAppSchema>

/** Why what runs could not be brought to a size; it was put back. */
export const scaleProblemSchema = z.object({
  code: z.enum(['memory-in-use', 'replica-failed', 'refused']),
  /** A sentence in English. */
  message: z.string(),
  /** How much memory the fullest replica used, where that is the reason. */
  usedBytes: z.number().int().nullable(),
})

export type ScaleProblem = z.infer<typeof scaleProblemSchema>

/** App.scaling: a change of size on its way, or the last one that could not be made. */
export const scalingSchema = z.object({
  /** Of this change: whoever asks again makes another. */
  id: z.string(),
  deploymentId: z.string(),
  from: sizeSchema,
  to: sizeSchema,
  /** Who asked, with the name as it was then. */
  by: z.object({ actor: z.string(), actorName: z.string() }),
  /** Null: it is on its way. */
  problem: scaleProblemSchema.nullable(),
})

export type Scaling = z.infer<typeof scalingSchema>

export function sizeOf(settings: Pick<AppSettings, 'replicas' | 'limits' | 'processes'>): Size {
  const others = Object.entries(settings.processes).map(([name, own]) => [name, processSize(own)])
  return { ...processSize(settings), processes: Object.fromEntries(others) }
}

function processSize({ replicas, limits }: Pick<AppSettings, 'replicas' | 'limits'>): ProcessSize {
  return { replicas, memoryBytes: limits.memoryBytes, cpuMillis: limits.cpuMillis }
}

/** Of one process; null where the size knows none of that name. */
export function sizeOfProcess({ processes, ...own }: Size, name: string): ProcessSize | null {
  return name === web ? own : (processes[name] ?? null)
}

/** The processes that change, each with what it was and will be; `web` where none does. */
export function resizes(from: Size, to: Size): { process: string; from: ProcessSize; to: ProcessSize }[] {
  const found = [web, ...Object.keys(to.processes)].flatMap((process) => {
    const [was, is] = [sizeOfProcess(from, process), sizeOfProcess(to, process)]
    const isSame = sizeFields.every((field) => was?.[field] === is?.[field])
    return was === null || is === null || isSame ? [] : [{ process, from: was, to: is }]
  })
  return found.length > 0 ? found : [{ process: web, from, to }]
}

export const sizeFields = ['replicas', 'memoryBytes', 'cpuMillis'] as const

/** The same size, but for what is given of one process. */
export function resized(size: Size, name: string, change: Partial<ProcessSize>): Size {
  if (name === web) return { ...size, ...change }
  const before = size.processes[name]
  if (before === undefined) return size
  return { ...size, processes: { ...size.processes, [name]: { ...before, ...change } } }
}

/** The settings with this size; as they are where there is none, or none of a process. */
export function withSize(settings: AppSettings, size: Size | null): AppSettings {
  if (size === null) return settings
  const processes = Object.entries(settings.processes).map(([name, own]) => [
    name,
    withProcessSize(own, size.processes[name] ?? null),
  ])
  return { ...withProcessSize(settings, size), processes: Object.fromEntries(processes) }
}

function withProcessSize<Sized extends Pick<AppSettings, 'replicas' | 'limits'>>(
  settings: Sized,
  size: ProcessSize | null,
): Sized {
  if (size === null) return settings
  const { replicas, memoryBytes, cpuMillis } = size
  return { ...settings, replicas, limits: { ...settings.limits, memoryBytes, cpuMillis } }
}
