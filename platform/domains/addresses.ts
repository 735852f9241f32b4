import { appUrl, type Config } from '../config.ts'

/**
 * Which of an app's domains it is told people by, best first: its own before the one that Berth made. Those that lead
 * elsewhere, stand for many names, or are not verified are none.
 */
export const publicNames = {
  where: { verifiedAt: { not: null }, redirectTo: null, name: { not: { startsWith: '*' } } },
  orderBy: [{ generated: 'asc' as const }, { id: 'asc' as const }],
  select: { name: true, pathPrefix: true },
}

/** http://shop.example.com:7080/api, without a slash at its end. */
export function domainUrl(
  config: Pick<Config, 'port'>,
  { name, pathPrefix }: { name: string; pathPrefix: string },
): string {
  return `${appUrl(config, name)}${pathPrefix === '/' ? '' : pathPrefix}`
}
