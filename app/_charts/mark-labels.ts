/** Where the labels of marks on a graph stand. Pure. */

export interface PlacedLabel {
  text: string
  /** Its left end. */
  x: number
}

interface Room {
  /** Where the graph ends. */
  right: number
  /** Between a mark and its label, and between two labels. */
  gap: number
  widthOf(text: string): number
}

/**
 * A label stands to the right of its mark, or ends with the graph. Those that would lie on one another become one, of the
 * first and the last: `#3–#5`. `marks`: from left to right.
 */
export function labelsOf(marks: readonly { label: string; x: number }[], room: Room): PlacedLabel[] {
  const groups: { first: string; last: string; mark: number; x: number; end: number; text: string }[] = []
  const placed = (first: string, last: string, mark: number) => {
    const text = first === last ? first : `${first}–${last}`
    const width = room.widthOf(text)
    const x = Math.min(mark + room.gap, room.right - width)
    return { first, last, mark, text, x, end: x + width }
  }
  for (const { label, x } of marks) {
    let group = placed(label, label, x)
    for (let before = groups.at(-1); before && group.x < before.end + room.gap; before = groups.at(-1)) {
      groups.pop()
      group = placed(before.first, group.last, before.mark)
    }
    groups.push(group)
  }
  return groups.map(({ text, x }) => ({ text, x }))
}
