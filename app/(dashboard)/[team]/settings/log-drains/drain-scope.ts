import type { LogDrain } from '@/platform/model/log-drains.ts'

export interface DrainScope {
  id: string
  kind: 'environment' | 'app'
  name: string
}

/** Value of the choice: empty for all, the id of one, or that it stays as it is where it has several. */
export const several = 'several'

export function scopeOf({ environmentIds, appIds }: Pick<LogDrain, 'environmentIds' | 'appIds'>): string {
  const all = [...environmentIds, ...appIds]
  return all.length > 1 ? several : (all[0] ?? '')
}

export function placesOf(scope: string, scopes: readonly DrainScope[]) {
  if (scope === several) return {}
  const isOf = (kind: DrainScope['kind']) => scopes.some((each) => each.id === scope && each.kind === kind)
  return { environmentIds: isOf('environment') ? [scope] : [], appIds: isOf('app') ? [scope] : [] }
}
