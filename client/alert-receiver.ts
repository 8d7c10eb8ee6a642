import { Client, Connection } from '@temporalio/client';
import { DATA_CONVERTER, readTemporal } from '../config/temporal.ts';
import { BadConfiguration } from '../config/variables.ts';
import { readReceiverConfiguration } from './receiver/configuration.ts';
import { createReceiver } from './receiver/server.ts';

try {
  const configuration = readReceiverConfiguration(process.env);
  const { connectionOptions, namespace } = readTemporal(process.env);
  // Connects when an alert comes: until Temporal is there, Alertmanager is told to try again.
  const connection = Connection.lazy({ ...connectionOptions, connectTimeout: '5 seconds' });
  const client = new Client({
    connection,
    namespace,
    identity: configuration.ALERT_RECEIVER_IDENTITY,
    dataConverter: DATA_CONVERTER,
  });
  const server = createReceiver(client, configuration);
  const stop = (): void => void server.close().then(() => connection.close());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  await server.listen(configuration.RECEIVER_ADDRESS);
} catch (error) {
  console.error(error instanceof BadConfiguration ? error.message : error);
  process.exit(1);
}
