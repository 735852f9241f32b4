import { z } from 'zod'
import { commitSchema, gitRefSchema } from './builds.ts'

/** Where an app's source is, when Git fetches it. */

const isRefName = (name: string) =>
  /^[^\p{Cc} ~^:?*[\\]{1,200}$/u.test(name) &&
  !/^[-/.]|\/\/|\.\.|@\{|\/\.|[/.]$|\.lock(\/|$)/.test(name) &&
  name !== '@'

/** As git-check-ref-format(1) has it, and nothing that could be an option. */
export const refInputSchema = gitRefSchema
  .strict()
  .refine(({ kind, name }) => kind === 'commit' || isRefName(name), {
    path: ['name'],
    message: 'must be the name of a branch or a tag',
  })
  .refine(({ kind, name }) => kind !== 'commit' || /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(name), {
    path: ['name'],
    message: 'must be the whole commit: 40 digits and letters a–f',
  })

export type GitRef = z.infer<typeof gitRefSchema>

const shortLine = (max: number) =>
  z
    .string()
    .max(max, `must be at most ${max} characters`)
    .refine((text) => !/\p{Cc}/u.test(text), "can't hold line breaks or control characters")

/** Such as `ssh-ed25519 AAAA…`: with a host's name before it, as known_hosts and ssh-keyscan write it, or without. */
const hostKey = z
  .string()
  .trim()
  .max(4_000)
  .transform(
    (line) =>
      /(?:^|\s)((?:ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]{40,}={0,3})(?:\s|$)/.exec(line)?.[1] ?? '',
  )
  .refine((key) => key !== '', 'must be a public key of the host, such as ssh-ed25519 AAAA…')

export const forges = ['github', 'gitlab', 'gitea', 'bitbucket'] as const
export type Forge = (typeof forges)[number]

const watchPath = shortLine(300)
  .trim()
  .min(1, 'must not be empty')
  .refine((path) => !path.split('/').includes('..'), "can't lead out of the repository")

/** What came of the last look: `first`: nobody had looked before; `unwatched`: nothing that is watched has changed. */
export const lookResults = ['deployed', 'unchanged', 'unwatched', 'first'] as const

export const gitSourceInputSchema = z.strictObject({
  /** https://…, ssh://… or git@host:path. */
  address: z.string().trim().min(1, 'must not be empty').max(1_000, 'must be at most 1000 characters'),
  ref: refInputSchema.default({ kind: 'branch', name: 'main' }),
  /** Goes with the token; forges that read tokens need none. */
  username: shortLine(255).trim().default(''),
  /** Not given: the one that is kept stays, as long as the host is the same. Null: none. */
  token: shortLine(4_000).min(1, 'must not be empty').nullable().optional(),
  /** Not given: those that are kept stay, as long as the host is the same. Empty: what the host shows next is kept. */
  hostKeys: z.array(hostKey).max(20).optional(),
  /** PEM certificates that may sign the host's, besides those that every system trusts. */
  ca: z
    .string()
    .trim()
    .max(60_000)
    .regex(
      /^-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----$/,
      'must be certificates in PEM form',
    )
    .nullable()
    .default(null),
  /** Whose API the host has, to be told how it went; null: as its name says, or as its webhooks show. */
  forge: z.enum(forges).nullable().default(null),
  /** What is pushed is deployed. */
  autoDeploy: z.boolean().default(true),
  /** Only when one of these changes: files, folders, or with * and **. None: whatever changes. */
  watchPaths: z.array(watchPath).max(50).default([]),
  /** Berth looks by itself so often, for forges that can't tell of pushes; null: it does not. */
  pollSeconds: z.number().int().min(60, 'must be at least 60').max(86_400).nullable().default(null),
})

export type GitSourceInput = z.input<typeof gitSourceInputSchema>

const keySchema = z.object({
  key: z.string(),
  /** As `ssh-keygen -l` writes it: SHA256:… */
  fingerprint: z.string(),
})

export const gitSourceSchema = z.object({
  address: z.string(),
  ref: gitRefSchema,
  username: z.string(),
  hasToken: z.boolean(),
  ca: z.string().nullable(),
  /** The public half, for the forge's list of deploy keys; null where the address is no ssh. */
  deployKey: keySchema.nullable(),
  /** Keys by which the host is known; where none was given, what it showed first. */
  hostKeys: z.array(keySchema),
  /** What was fetched last. */
  commit: commitSchema.nullable(),
  forge: z.enum(forges).nullable(),
  autoDeploy: z.boolean(),
  watchPaths: z.array(z.string()),
  pollSeconds: z.number().nullable(),
  /** Null: none was made. Its secret is told once, when it is made. */
  webhook: z.object({ url: z.string(), lastDeliveryAt: z.string().nullable() }).nullable(),
  /** The last look at the repository; null: nobody has looked by itself. */
  look: z
    .object({
      at: z.string(),
      result: z.enum(lookResults).nullable(),
      /** Why it could not be looked at. */
      problem: z.string().nullable(),
    })
    .nullable(),
})

/** How a forge is told of it. */
export const newGitWebhookSchema = z.object({ url: z.string(), secret: z.string() })

export type GitSource = z.infer<typeof gitSourceSchema>

export const deployGitSchema = z.strictObject({
  /** Another than the app's own, this once. */
  ref: refInputSchema.optional(),
})

export type DeployGitInput = z.input<typeof deployGitSchema>
