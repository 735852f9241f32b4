import { z } from 'zod'
import { networkSchema } from './networks.ts'

const maxUsers = 50
const maxAddresses = 100

const userNameSchema = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9._@-]{1,64}$/, 'must be 1–64 letters, digits and . _ @ -')

/** As it is kept. Empty lists ask for nothing. */
export const edgeAccessSchema = z.object({
  users: z.array(z.object({ name: z.string(), hash: z.string() })),
  /** Networks that visitors may come from. */
  addresses: z.array(z.string()),
})

export const setEdgeAccessSchema = z.strictObject({
  /** All of them. Of one who is there already, the password may be left away: it stays. */
  users: z
    .array(
      z.strictObject({
        name: userNameSchema,
        password: z
          .string()
          .min(8, 'must be at least 8 characters')
          .max(128, 'must be at most 128 characters')
          .optional(),
      }),
    )
    .max(maxUsers, `must be at most ${maxUsers} users`)
    .refine((users) => new Set(users.map(({ name }) => name)).size === users.length, 'has a name twice'),
  addresses: z.array(networkSchema).max(maxAddresses, `must be at most ${maxAddresses} networks`),
})

/** Passwords are write-only. */
export const shownEdgeAccessSchema = z.object({
  users: z.array(z.object({ name: z.string() })),
  addresses: z.array(z.string()),
})

export type EdgeAccess = z.infer<typeof edgeAccessSchema>
export type SetEdgeAccessInput = z.input<typeof setEdgeAccessSchema>
export type ShownEdgeAccess = z.infer<typeof shownEdgeAccessSchema>
