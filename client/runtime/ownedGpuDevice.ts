// A GPUDevice that belongs to one piece of work, and goes when that is closed.

/** Limits that decide how much fits; the defaults are far below what most adapters have. */
const raisedLimits = ['maxBufferSize', 'maxStorageBufferBindingSize'] as const;

interface Closable {
  close(): Promise<void>;
}

/**
 * What `make` makes on a device of its own: closing it destroys the device.
 * @param adapter a fresh one: an adapter serves one device only.
 * @throws what `make` throws; the device is then gone.
 */
export async function onOwnDevice<T extends Closable>(
  adapter: GPUAdapter,
  make: (device: GPUDevice) => Promise<T>,
  requiredFeatures: GPUFeatureName[] = [],
): Promise<T> {
  const device = await adapter.requestDevice({
    requiredFeatures,
    requiredLimits: Object.fromEntries(raisedLimits.map((limit) => [limit, adapter.limits[limit]])),
  });
  try {
    const made = await make(device);
    const close = made.close.bind(made);
    made.close = async () => {
      await close();
      device.destroy();
    };
    return made;
  } catch (error) {
    device.destroy();
    throw error;
  }
}
