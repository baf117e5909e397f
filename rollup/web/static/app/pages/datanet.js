export const Datanet = () => null;
