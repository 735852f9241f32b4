import { z } from 'zod'
import { stepNames } from './deployment-step.ts'
import { factsSchema } from './facts.ts'

/** Why a deployment failed. A closed set: the dashboard has words and advice for each. */
export const failureCodes = [
  'build-failed',
  'dockerfile-missing',
  'build-not-understood',
  'build-source-invalid',
  'build-base-image',
  'build-out-of-memory',
  'build-timeout',
  'build-disk-full',
  'build-too-many-processes',
  'build-push-failed',
  'git-denied',
  'git-ref-missing',
  'git-unreachable',
  'git-host-key',
  'git-failed',
  'image-not-found',
  'image-access-denied',
  'image-invalid',
  'wrong-platform',
  'registry-denied',
  'registry-limited',
  'registry-unavailable',
  'disk-full',
  'release-failed',
  'exited',
  'missing-variable',
  'command-not-found',
  'out-of-memory',
  'start-failed',
  'wrong-port',
  'not-listening',
  'unhealthy',
  'route-failed',
  'port-taken',
  'interrupted',
  'internal',
] as const

export type FailureCode = (typeof failureCodes)[number]

/** The facts that the words for each code are made from; others may come with them. */
export const failureFacts: Record<FailureCode, readonly string[]> = {
  'build-failed': ['reason'],
  'dockerfile-missing': ['wanted', 'found'],
  'build-not-understood': ['reason'],
  'build-source-invalid': ['reason'],
  'build-base-image': ['reason'],
  'build-out-of-memory': ['limitBytes'],
  'build-timeout': ['seconds'],
  'build-disk-full': ['limitBytes'],
  'build-too-many-processes': ['processes'],
  'build-push-failed': ['reason'],
  'git-denied': ['reason', 'address'],
  'git-ref-missing': ['ref'],
  'git-unreachable': ['reason'],
  'git-host-key': ['address'],
  'git-failed': ['reason'],
  'image-not-found': ['image'],
  'image-access-denied': ['image'],
  'image-invalid': ['image'],
  'wrong-platform': ['reason'],
  'registry-denied': ['image', 'host', 'username'],
  'registry-limited': ['image', 'host', 'seconds'],
  'registry-unavailable': ['image'],
  'disk-full': [],
  'release-failed': ['how'],
  exited: ['how'],
  'missing-variable': ['variable', 'line'],
  'command-not-found': ['command'],
  'out-of-memory': ['limitBytes'],
  'start-failed': ['reason'],
  'wrong-port': ['port', 'seconds', 'listening'],
  'not-listening': ['port', 'seconds', 'loopback'],
  unhealthy: ['when', 'probe'],
  'route-failed': ['reason'],
  'port-taken': ['port', 'reason'],
  interrupted: [],
  internal: ['reason'],
}

export function isFailureCode(text: string): text is FailureCode {
  return failureCodes.some((code) => code === text)
}

export const failureSchema = z.object({
  step: z.enum([...stepNames, 'queue']),
  code: z.enum(failureCodes),
  /** One sentence for a person, in English: what happened and what to do. */
  message: z.string(),
  /** What the sentence is made from, for those who word it in another language. */
  facts: factsSchema.default({}),
  exitCode: z.number().int().nullable(),
  /** Such as SIGKILL, where a signal ended the process. */
  signal: z.string().nullable(),
  oomKilled: z.boolean(),
  /** The last 50 lines that the container wrote, oldest first. */
  lastLogLines: z.array(z.string()),
})

export type Failure = z.infer<typeof failureSchema>
