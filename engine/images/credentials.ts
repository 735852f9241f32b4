/** Whose credentials go where. */
import { EngineError } from '../errors.ts'
import { parseReference } from '../oci/reference.ts'
import type { ImageRows } from './image-rows.ts'
import type { CredentialsFor, RegistryCredentials } from './images.ts'

/** What was given is for one registry; of the others the owner of the engine is asked. */
export function onlyFor(
  registry: string | null,
  given: RegistryCredentials | undefined,
  otherwise: CredentialsFor,
): CredentialsFor {
  return async (source) => (given !== undefined && source.registry === registry ? given : otherwise(source))
}

/** The one registry that images are named after, by the names that they are asked for by. Throws invalid. */
export function registryOf(rows: ImageRows, keys: string[]): string {
  const names = keys.flatMap((key) => {
    const { digest, references } = rows.get(key)
    // Asked for by the digest or its first digits: by all of its names.
    return digest.replace(/^sha256:/, '').startsWith(key.replace(/^sha256:/, '')) ? references : [key]
  })
  const registries = [...new Set(names.map((name) => parseReference(name).registry))]
  const [registry] = registries
  if (registry !== undefined && registries.length === 1) return registry
  throw new EngineError(
    'invalid',
    `credentials are for one registry, and these images have names of ${registries.join(' and ') || 'none'}`,
  )
}
