import type { ReactNode } from 'react'
import { cn } from '../_ui/cn.ts'

interface NumberTableProps {
  caption: string
  /** The first is that of the names. */
  columns: string[]
  rows: { key: string; name: ReactNode; cells: string[] }[]
}

/** Things by name, and what was measured of each. */
export function NumberTable({ caption, columns, rows }: NumberTableProps) {
  return (
    <div className="overflow-x-auto rounded-xl border bg-surface p-4 shadow-card">
      <table className="w-full text-left text-sm">
        <caption className="mb-2 text-left font-medium">{caption}</caption>
        <thead className="text-muted text-xs">
          <tr>
            {columns.map((column, place) => (
              <th
                key={column}
                scope="col"
                className={cn('whitespace-nowrap py-1 pr-3 font-normal last:pr-0', place > 0 && 'text-right')}
              >
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="tabular-nums">
          {rows.map(({ key, name, cells }) => (
            <tr key={key} className="border-t">
              <th scope="row" className="min-w-36 break-words py-1.5 pr-3 font-normal">
                {name}
              </th>
              {columns.slice(1).map((column, place) => (
                <td key={column} className="whitespace-nowrap py-1.5 pr-3 text-right last:pr-0">
                  {cells[place]}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
