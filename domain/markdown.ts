/** Makes text from outside safe inside Markdown that renders HTML: no tag, link, table border or emphasis survives. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/[\r\n\t]+/g, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_{}[\]()#+!|~]/g, (mark) => `\\${mark}`)
    .replace(/(https?):\/\//gi, '$1:&#8203;//');
}

/** A Markdown table; cells are escaped by the caller. The UI draws cells without any space between them, so each ends with some. */
export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string =>
    `| ${cells.map((cell) => (cell ? `${cell}&nbsp;&nbsp;` : cell)).join(' | ')} |`;
  return [line(head), `| ${head.map(() => ':--').join(' | ')} |`, ...rows.map(line)].join('\n');
}
