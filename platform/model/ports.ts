/** Ports of an app's host that lead to it, for what does not speak HTTP. */
import { z } from 'zod'
import { networkSchema } from './networks.ts'

export const portSchema = z.number().int().min(1, 'must be 1–65535').max(65_535, 'must be 1–65535')

export const portProtocols = ['tcp', 'udp'] as const

export const hostPortSchema = z.object({ protocol: z.enum(portProtocols), hostPort: portSchema })

/** So many fit on a page. */
export const mostPorts = 20

const mostSources = 50

const sourcesSchema = z
  .array(networkSchema.refine((network) => !network.includes(':'), 'must be IPv4: ports are reached by IPv4'))
  .max(mostSources, `must be at most ${mostSources} networks`)

/** Where a port leads, as an app's settings have it. */
export const publishedPortSchema = z.strictObject({
  /** `web`, or another process of the app. */
  process: z.string().max(31),
  containerPort: portSchema,
  /** Networks that may connect; none: all. */
  sources: sourcesSchema,
})

/** By name: `tcp-20001`. */
export const portsSchema = z
  .record(
    z.string().regex(/^(tcp|udp)-[1-9]\d{0,4}$/, 'must be a name such as tcp-20001'),
    publishedPortSchema,
  )
  .refine((ports) => Object.keys(ports).length <= mostPorts, `must be at most ${mostPorts} ports`)

export const publishPortSchema = z.strictObject({
  protocol: z.enum(portProtocols, 'must be tcp or udp').default('tcp'),
  containerPort: portSchema,
  /** Of the host, in the range that the installation has for apps. Null: one that is free is chosen. */
  hostPort: portSchema.nullable().default(null),
  process: z.string().max(31).default('web'),
  sources: sourcesSchema.default([]),
})

/** Only what is given changes. Another port of the host, or another protocol, is another port. */
export const changePortSchema = z.strictObject({
  containerPort: portSchema.optional(),
  process: z.string().max(31).optional(),
  sources: sourcesSchema.optional(),
})

export const portStates = ['live', 'waiting', 'going'] as const

export const portResourceSchema = z.object({
  /** Such as tcp-20001: by which it is changed and removed. */
  name: z.string(),
  protocol: z.enum(portProtocols),
  hostPort: z.int(),
  process: z.string(),
  containerPort: z.int(),
  sources: z.array(z.string()),
  /** Where clients connect to: shop.example.com:20001. */
  address: z.string(),
  /** `waiting`: the next deployment has it, or has it so. `going`: the next deployment has it no more. */
  state: z.enum(portStates),
  /** Why it leads nowhere, though it should: somebody else has it on the host. */
  problem: z.string().nullable(),
})

export const portRangeSchema = z.object({ first: z.int(), last: z.int() })

export const portListSchema = z.object({
  data: z.array(portResourceSchema),
  /** From which ports of the host are chosen; null: this installation publishes none. */
  range: portRangeSchema.nullable(),
})

export type HostPort = z.infer<typeof hostPortSchema>
export type PortProtocol = (typeof portProtocols)[number]
export type PublishedPort = z.infer<typeof publishedPortSchema>
export type PublishPortInput = z.input<typeof publishPortSchema>
export type ChangePortInput = z.input<typeof changePortSchema>
export type Port = z.infer<typeof portResourceSchema>
export type PortList = z.infer<typeof portListSchema>
export type PortRange = z.infer<typeof portRangeSchema>

export function portName({ protocol, hostPort }: HostPort): string {
  return `${protocol}-${hostPort}`
}

/** Of a name that portsSchema took. */
export function hostPortOf(name: string): HostPort {
  const [protocol, hostPort] = name.split('-')
  return { protocol: protocol === 'udp' ? 'udp' : 'tcp', hostPort: Number(hostPort) }
}

/** As people write it: 20001/tcp. */
export function portInWords({ protocol, hostPort }: HostPort): string {
  return `${hostPort}/${protocol}`
}
