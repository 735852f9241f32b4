/** How many terminals may be open at once. */
export interface TerminalPlaces {
  /** Null: there are too many of this person's, of this app's, or of all. */
  take(of: { person: string; appId: string }): (() => void) | null
}

export interface TerminalCounts {
  person: number
  app: number
  all: number
}

export const mostTerminals: TerminalCounts = { person: 10, app: 20, all: 100 }

export function createTerminalPlaces(most: TerminalCounts = mostTerminals): TerminalPlaces {
  const open = new Set<{ person: string; appId: string }>()
  return {
    take(of) {
      const all = [...open]
      const ofPerson = all.filter(({ person }) => person === of.person).length
      const ofApp = all.filter(({ appId }) => appId === of.appId).length
      if (ofPerson >= most.person || ofApp >= most.app || all.length >= most.all) return null
      const place = { ...of }
      open.add(place)
      return () => void open.delete(place)
    },
  }
}
