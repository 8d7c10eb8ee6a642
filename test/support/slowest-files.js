const SHOWN = 10;

/** Says at the end which files took longest, so that whoever writes a slow test notices. */
// eslint-disable-next-line import/no-default-export -- Jest asks for one
export default class SlowestFiles {
  onRunComplete(_contexts, { testResults }) {
    const slowest = testResults
      .toSorted((a, b) => b.perfStats.runtime - a.perfStats.runtime)
      .slice(0, SHOWN);
    const lines = slowest.map(({ testFilePath, perfStats }) => {
      const seconds = (perfStats.runtime / 1000).toFixed(1).padStart(6);
      return `  ${seconds} s  ${testFilePath.slice(testFilePath.indexOf('/test/') + 1)}`;
    });
    process.stderr.write(`\nSlowest files:\n${lines.join('\n')}\n`);
  }
}
