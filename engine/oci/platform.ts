/** Which image of an index a host runs. Sources: OCI image-spec, image index, "platform"; containerd's platforms package. */
import { EngineError } from '../errors.ts'
import type { Descriptor, Index, Platform } from './manifest.ts'

const otherNames: Record<string, [architecture: string, variant?: string]> = {
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  i386: ['386'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
}
const impliedVariants: Record<string, string> = { amd64: 'v1', arm: 'v7', arm64: 'v8' }

/** Reads what users write after --platform: `linux/arm/v7`, `linux/amd64`, `arm64`. Throws invalid. */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/')
  if (parts.length > 3 || !parts.every((part) => /^[a-z0-9_.-]{1,32}$/.test(part)))
    throw new EngineError(
      'invalid',
      `${JSON.stringify(text.slice(0, 100))} is not a platform: write it as linux/amd64 or linux/arm/v7`,
    )
  const [os = 'linux', architecture = '', variant] = parts.length === 1 ? ['linux', ...parts] : parts
  return normal({ os, architecture, variant })
}

/** As it is shown: `linux/arm/v7`, and `linux/amd64` for the oldest of those, as containerd does. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  const isPlain = architecture !== 'arm' && variant === impliedVariants[architecture]
  return [os, architecture, isPlain ? '' : variant].filter(Boolean).join('/')
}

function normal({ os, architecture, variant }: Platform): Platform {
  const [name, implied] = otherNames[architecture] ?? [architecture]
  const whole = variant || implied || impliedVariants[name]
  return { os, architecture: name, variant: whole && /^\d/.test(whole) ? `v${whole}` : whole }
}

/** How well an image's platform suits: 0 is best, null not at all. A processor runs what was made for older ones. */
function rank(wanted: Platform, offered: Platform): number | null {
  const [want, have] = [normal(wanted), normal(offered)]
  if (want.os !== have.os || want.architecture !== have.architecture) return null
  if (want.variant === have.variant) return 0
  const [newest, level] = [levelOf(want.variant), levelOf(have.variant)]
  const goesDown =
    want.architecture === 'arm' || want.architecture === 'amd64' || want.architecture === 'arm64'
  return goesDown && newest !== null && level !== null && level < newest ? newest - level : null
}

function levelOf(variant: string | undefined): number | null {
  const [, level] = /^v(\d{1,2})$/.exec(variant ?? '') ?? []
  return level === undefined ? null : Number(level)
}

/** Throws wrong-platform when an image that no index offers is made for another platform than is wanted. */
export function assertSuits(offered: Platform | null, what: string, wanted: Platform): void {
  if (offered === null || rank(wanted, offered) !== null) return
  throw new EngineError(
    'wrong-platform',
    `${what} has no image for ${formatPlatform(wanted)}, only for ${formatPlatform(offered)}`,
  )
}

/**
 * The entry that suits a platform best; of equals, the first. Entries of `unknown/unknown` are attestations and no
 * images. An index with a single image that names no platform means that one. Throws wrong-platform, naming what there is.
 */
export function choosePlatform(index: Index, what: string, wanted: Platform): Descriptor {
  const images = index.manifests.filter(
    ({ platform, annotations }) =>
      platform?.os !== 'unknown' && annotations?.['vnd.docker.reference.type'] !== 'attestation-manifest',
  )
  let best: { entry: Descriptor; distance: number } | null = null
  for (const entry of images) {
    const distance = entry.platform ? rank(wanted, entry.platform) : null
    if (distance !== null && distance < (best?.distance ?? Number.POSITIVE_INFINITY))
      best = { entry, distance }
  }
  if (best) return best.entry
  const [only] = images
  if (only && images.length === 1 && !only.platform) return only
  const offered = images.map(({ platform }) => (platform ? formatPlatform(platform) : 'one without a name'))
  throw new EngineError(
    'wrong-platform',
    `${what} has no image for ${formatPlatform(wanted)}, only for ${offered.slice(0, 20).join(', ') || 'nothing'}`,
  )
}
