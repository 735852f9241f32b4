import { z } from 'zod'

/** How a team signs in to a registry elsewhere. */

const hostPattern =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::\d{1,5})?$/
const pathPattern = /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/

/** As image references write it: `https://index.docker.io/v1/` → `docker.io`. */
export function normalizeRegistryHost(text: string): string {
  const host = text
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/\/(?:v[12]\/?)?$/, '')
  return host.replace(
    /^(?:(?:index|registry-1|registry|hub|www)\.docker\.(?:io|com)|docker\.com)$/,
    'docker.io',
  )
}

const host = z
  .string()
  .max(300)
  .transform(normalizeRegistryHost)
  .refine((text) => hostPattern.test(text), 'must be a host such as ghcr.io or registry.example:5000')
const prefix = z
  .string()
  .trim()
  .max(255)
  .refine(
    (text) => text === '' || pathPattern.test(text),
    'must be the beginning of image names, such as acme or acme/shop',
  )
const username = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(255)
  .refine((text) => !/[:\p{Cc}]/u.test(text), "can't hold a colon")
const password = z.string().min(1, 'must not be empty').max(10_000)
const note = z.string().trim().max(200, 'must be at most 200 characters')

export const createRegistryLoginSchema = z.strictObject({
  host,
  /** What the names of its images begin with; empty: all of the host's. */
  prefix: prefix.default(''),
  username,
  /** A password or, better, an access token that may only read. */
  password,
  note: note.default(''),
})

export const updateRegistryLoginSchema = z.strictObject({
  username: username.optional(),
  password: password.optional(),
  note: note.optional(),
})

export type CreateRegistryLoginInput = z.input<typeof createRegistryLoginSchema>
export type UpdateRegistryLoginInput = z.input<typeof updateRegistryLoginSchema>

export const registryLoginSchema = z.object({
  id: z.string(),
  teamId: z.string(),
  host: z.string(),
  prefix: z.string(),
  username: z.string(),
  note: z.string(),
  /** Who wrote it down last. */
  createdBy: z.string(),
  createdAt: z.string(),
  /** When it was tried last, and what was wrong then; null: nothing. */
  checkedAt: z.string().nullable(),
  problem: z.string().nullable(),
  /** Apps whose image is pulled with it, as far as the caller sees them. */
  usedBy: z.array(z.object({ appId: z.string(), name: z.string() })),
})

export type RegistryLogin = z.infer<typeof registryLoginSchema>

/** The one for an image: of those of its host the one with the longest beginning of its name. */
export function loginFor<Kept extends { host: string; prefix: string }>(
  logins: readonly Kept[],
  { registry, repository }: { registry: string; repository: string },
): Kept | null {
  const fitting = logins.filter(
    ({ host: of, prefix: beginning }) =>
      of === registry.toLowerCase() &&
      (beginning === '' || repository === beginning || repository.startsWith(`${beginning}/`)),
  )
  return fitting.sort((a, b) => a.prefix.length - b.prefix.length).at(-1) ?? null
}
