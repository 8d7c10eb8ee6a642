export function madeUpRuby(
  given: string[],
  env: Record<string, string | undefined>,
  print: (line: string) => void,
): Promise<number>;
