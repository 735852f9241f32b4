import type { Config } from '../config.ts'

/** `acme/shop` when the image's reference names a repository of Berth's own registry, otherwise null. */
export function ownRepository(config: Pick<Config, 'registryHost'>, imageRef: string): string | null {
  if (!imageRef.startsWith(`${config.registryHost}/`)) return null
  return imageRef
    .slice(config.registryHost.length + 1)
    .replace(/@.*$/, '')
    .replace(/:[^/]*$/, '')
}
