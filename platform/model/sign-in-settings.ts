/** Who may sign in and make an account, and where. Safe in a browser. */
import { z } from 'zod'
import { displayNameSchema, passwordSchema, slugSchema } from './names.ts'

export const providerKinds = ['github', 'gitlab', 'google', 'oidc'] as const

export type ProviderKind = (typeof providerKinds)[number]

/** Where these providers themselves live. Others have an issuer of their own. */
export const usualIssuers: Record<ProviderKind, string | null> = {
  github: 'https://github.com',
  gitlab: 'https://gitlab.com',
  google: 'https://accounts.google.com',
  oidc: null,
}

const issuerSchema = z
  .url({ protocol: /^https?$/, error: 'must be an address such as https://login.example.org' })
  .max(500)
  .refine((text) => {
    const url = URL.parse(text)
    return url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  }, 'must be an address without user, query and fragment')

const credential = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(2_000)
  .regex(/^[\x20-\x7e]*$/, 'must be plain text')

const rules = {
  /** Whoever can sign in there may make an account here, however registration is set. */
  letsRegister: z.boolean(),
  /** Its addresses are taken for verified though it does not say so. */
  trustsEmail: z.boolean(),
  /** Whoever has the verified address of an account there owns the account here, too. */
  linksByEmail: z.boolean(),
  /** It may be in a private network, and be asked without TLS there. */
  allowsPrivate: z.boolean(),
}

export const createProviderSchema = z.strictObject({
  /** Part of the address that it leads back to. */
  id: slugSchema.refine((id) => id !== 'credentials' && id !== 'code', 'is taken'),
  kind: z.enum(providerKinds),
  name: displayNameSchema,
  /** Left out: where GitHub, GitLab or Google themselves are. */
  issuer: issuerSchema.optional(),
  clientId: credential,
  clientSecret: credential,
  letsRegister: rules.letsRegister.default(false),
  trustsEmail: rules.trustsEmail.default(false),
  linksByEmail: rules.linksByEmail.default(false),
  allowsPrivate: rules.allowsPrivate.default(false),
})

/** Only what is given changes. A new issuer needs the secret anew. */
export const updateProviderSchema = z.strictObject({
  name: displayNameSchema.optional(),
  issuer: issuerSchema.optional(),
  clientId: credential.optional(),
  clientSecret: credential.optional(),
  letsRegister: rules.letsRegister.optional(),
  trustsEmail: rules.trustsEmail.optional(),
  linksByEmail: rules.linksByEmail.optional(),
  allowsPrivate: rules.allowsPrivate.optional(),
})

export const providerSchema = z.object({
  id: z.string(),
  kind: z.enum(providerKinds),
  name: z.string(),
  issuer: z.string(),
  clientId: z.string(),
  ...rules,
  /** To be written down at the provider. */
  callbackUrl: z.string(),
  /** How many accounts here are linked to one there. */
  identities: z.number().int(),
  createdAt: z.iso.datetime(),
})

export const registrations = ['invitation', 'domains', 'open'] as const

const domainSchema = z
  .string()
  .trim()
  .toLowerCase()
  .max(253)
  .regex(
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/,
    'must be domains such as example.org',
  )

export const registrationSchema = z
  .strictObject({
    registration: z.enum(registrations),
    /** Of e-mail addresses, whole: example.org does not stand for what is below it. */
    domains: z.array(domainSchema).max(100).default([]),
  })
  .refine(({ registration, domains }) => registration !== 'domains' || domains.length > 0, {
    message: 'must not be empty',
    path: ['domains'],
  })

export const identitySchema = z.object({
  id: z.string(),
  /** Name of the provider; its issuer where there is no such provider any more. */
  provider: z.string(),
  email: z.string().nullable(),
  createdAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime(),
})

/** What the link of a letter leads to. */
export const registerSchema = z.strictObject({
  token: z.string().max(200),
  name: displayNameSchema,
  password: passwordSchema,
})

export type CreateProviderInput = z.input<typeof createProviderSchema>
export type UpdateProviderInput = z.input<typeof updateProviderSchema>
export type SignInProvider = z.infer<typeof providerSchema>
export type RegistrationInput = z.input<typeof registrationSchema>
export type Registration = z.infer<typeof registrationSchema>
export type Identity = z.infer<typeof identitySchema>
export type RegisterInput = z.input<typeof registerSchema>
