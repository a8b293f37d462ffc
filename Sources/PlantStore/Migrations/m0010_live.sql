-- What is told to those who watch (LiveChanges.swift says in which words). By trigger, so that whoever changes a plant or a
-- device, by whatever way, cannot forget it. device_state has none: the intake tells of it once for many readings.

CREATE FUNCTION live_plant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('plantops_live', 'p' || COALESCE(NEW.id, OLD.id));
    RETURN NULL;
END $$;
CREATE TRIGGER live_plant AFTER INSERT OR UPDATE OR DELETE ON plants FOR EACH ROW EXECUTE FUNCTION live_plant();

-- A device whose registration failed half-way is not shown.
CREATE FUNCTION live_device() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF COALESCE(NEW.registered_at, OLD.registered_at) IS NOT NULL THEN
        PERFORM pg_notify('plantops_live', 'd' || COALESCE(NEW.id, OLD.id));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER live_device AFTER INSERT OR UPDATE OR DELETE ON devices FOR EACH ROW EXECUTE FUNCTION live_device();

CREATE FUNCTION live_assignment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('plantops_live', 'd' || COALESCE(NEW.device_id, OLD.device_id)
        || ',p' || COALESCE(NEW.plant_id, OLD.plant_id));
    RETURN NULL;
END $$;
CREATE TRIGGER live_assignment AFTER INSERT OR UPDATE OR DELETE ON device_assignments
FOR EACH ROW EXECUTE FUNCTION live_assignment();

-- Limits are suggested to every plant that bears the name.
CREATE FUNCTION live_species() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('plantops_live', '*');
    RETURN NULL;
END $$;
CREATE TRIGGER live_species AFTER INSERT OR UPDATE OR DELETE ON species
FOR EACH STATEMENT EXECUTE FUNCTION live_species();
